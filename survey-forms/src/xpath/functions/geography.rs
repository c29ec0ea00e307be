//! Functions on places (ODK XForms specification, "Geo functions"), on a sphere as JavaRosa and ODK Web Forms compute
//! them, so that the same form gives the same numbers everywhere.

use super::{EvaluationError, Expression, Object, Scope};

/// The earth's radius at the equator in metres, as both engines of ODK have it.
const EARTH_RADIUS_METRES: f64 = 6_378_100.0;

/// A place in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    latitude: f64,
    longitude: f64,
}

impl Point {
    /// Reads `latitude longitude [altitude [accuracy]]`.
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        let (2..=4, [latitude, longitude, ..]) = (parts.len(), parts.as_slice()) else {
            return None;
        };
        let degrees = |text: &str, most: f64| text.parse::<f64>().ok().filter(|degrees| degrees.abs() <= most);
        Some(Self {
            latitude: degrees(latitude, 90.0)?,
            longitude: degrees(longitude, 180.0)?,
        })
    }
}

/// The points of a line: a text of points separated by semicolons (any number of them at the end), or several texts of
/// one point each; none where one is no point or there are fewer than two.
fn points(texts: &[String]) -> Option<Vec<Point>> {
    let points: Option<Vec<Point>> = match texts {
        [line] => {
            let line = line.trim_end_matches([';', ' ', '\t', '\r', '\n']);
            line.split(';').map(Point::parse).collect()
        }
        texts => texts.iter().map(|text| Point::parse(text)).collect(),
    };
    points.filter(|points| points.len() >= 2)
}

/// Rounds to hundredths as both engines do, and drops the sign.
fn hundredths(value: f64) -> f64 {
    ((value * 100.0 + 0.5).floor() / 100.0).abs()
}

/// `area(shape)`: square metres inside a line, closed by a straight line where it is open; 0 where it is no line. Source
/// of the formula: R. G. Chamberlain, W. H. Duquette, "Some algorithms for polygons on a sphere", JPL Publication 07-3,
/// equation of the approximate area.
pub(super) fn area(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let points = points(&super::text::texts(scope, arguments)?).unwrap_or_default();
    let ends = points.iter().cycle().skip(1);
    // One straight line there and back encloses nothing.
    let total: f64 = if points.len() < 3 {
        0.0
    } else {
        points
            .iter()
            .zip(ends)
            .map(|(start, end)| {
                (end.longitude - start.longitude).to_radians()
                    * (2.0 + end.latitude.to_radians().sin() + start.latitude.to_radians().sin())
            })
            .sum()
    };
    Ok(Object::Number(hundredths(
        total * EARTH_RADIUS_METRES * EARTH_RADIUS_METRES / 2.0,
    )))
}

/// `distance(line)`, `distance(point, point, …)`: metres along the great circles between the points (spherical law of
/// cosines).
pub(super) fn distance(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let points = points(&super::text::texts(scope, arguments)?).ok_or(EvaluationError::NotPoints("distance()"))?;
    let total: f64 = points
        .windows(2)
        .map(|pair| match pair {
            [start, end] => {
                let turn = (start.longitude - end.longitude).to_radians();
                let (from, to) = (start.latitude.to_radians(), end.latitude.to_radians());
                let cosine = from.sin() * to.sin() + from.cos() * to.cos() * turn.cos();
                // Rounding may lead past 1 for two equal points.
                cosine.clamp(-1.0, 1.0).acos() * EARTH_RADIUS_METRES
            }
            _ => 0.0,
        })
        .sum();
    Ok(Object::Number(hundredths(total)))
}

/// `geofence(point, shape)`: whether a point lies inside a closed shape; false where one of them is none. Source: W. R.
/// Franklin, "PNPOLY – Point Inclusion in Polygon Test".
pub(super) fn geofence(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let point = Point::parse(&scope.text(&arguments[0])?);
    let shape = points(&[scope.text(&arguments[1])?]).filter(|shape| shape.first() == shape.last());
    let (Some(point), Some(shape)) = (point, shape) else {
        return Ok(Object::Boolean(false));
    };
    let mut inside = false;
    for (from, to) in shape.iter().zip(shape.iter().skip(1)) {
        let crosses = (to.latitude > point.latitude) != (from.latitude > point.latitude);
        if crosses {
            let at = (from.longitude - to.longitude) * (point.latitude - to.latitude) / (from.latitude - to.latitude)
                + to.longitude;
            if point.longitude < at {
                inside = !inside;
            }
        }
    }
    Ok(Object::Boolean(inside))
}

/// `intersects(line)`: whether a trace or shape crosses or touches itself: two of its segments have a point in common that
/// is not where one follows the other, or one runs back over the one before; false where it is no line. For constraints
/// (ODK documentation, "Form operators and functions"). Degrees are taken as plane coordinates.
pub(super) fn intersects(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let points = points(&super::text::texts(scope, arguments)?).unwrap_or_default();
    let segments: Vec<(Point, Point)> = points
        .iter()
        .zip(points.iter().skip(1))
        .map(|(from, to)| (*from, *to))
        // A point recorded twice adds nothing.
        .filter(|(from, to)| from != to)
        .collect();
    let closed = points.len() > 3 && points.first() == points.last();
    for (place, first) in segments.iter().enumerate() {
        let later = segments.iter().enumerate().skip(place + 1);
        scope.count_visits(later.len() as u64)?;
        for (other, second) in later {
            let follows = other == place + 1;
            let closes = closed && place == 0 && other + 1 == segments.len();
            let meet = if follows {
                runs_back(*first, *second)
            } else if closes {
                runs_back(*second, *first)
            } else {
                have_common_point(*first, *second)
            };
            if meet {
                return Ok(Object::Boolean(true));
            }
        }
    }
    Ok(Object::Boolean(false))
}

/// Which way one turns at `b` on the way from `a` to `c`: positive to one side, negative to the other, 0 straight on or back.
fn turn(a: Point, b: Point, c: Point) -> f64 {
    (b.longitude - a.longitude) * (c.latitude - a.latitude) - (b.latitude - a.latitude) * (c.longitude - a.longitude)
}

/// Whether a point on the line through `a` and `b` lies between them.
fn is_between(a: Point, b: Point, point: Point) -> bool {
    let within = |a: f64, b: f64, value: f64| a.min(b) <= value && value <= a.max(b);
    within(a.latitude, b.latitude, point.latitude) && within(a.longitude, b.longitude, point.longitude)
}

/// Whether a segment runs back over the one before it, whose end is its beginning.
fn runs_back((a, b): (Point, Point), (_, c): (Point, Point)) -> bool {
    turn(a, b, c) == 0.0 && (is_between(a, b, c) || is_between(b, c, a))
}

/// Whether two segments have a common point. Source: T. H. Cormen and others, "Introduction to Algorithms", chapter on
/// computational geometry, SEGMENTS-INTERSECT.
fn have_common_point((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let (at_a, at_b) = (turn(c, d, a), turn(c, d, b));
    let (at_c, at_d) = (turn(a, b, c), turn(a, b, d));
    let crosses = at_a * at_b < 0.0 && at_c * at_d < 0.0;
    crosses
        || (at_a == 0.0 && is_between(c, d, a))
        || (at_b == 0.0 && is_between(c, d, b))
        || (at_c == 0.0 && is_between(a, b, c))
        || (at_d == 0.0 && is_between(a, b, d))
}
