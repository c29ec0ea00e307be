//! Reads GeoJSON text into rows (RFC 7946), with geometry as ODK writes it.

use serde_json::Value;

use super::object::number_to_text;
use super::secondary_error::SecondaryInstanceErrorKind as ErrorKind;

/// The columns of one feature: `geometry`, `id` if there is one, and the properties.
pub(super) type FeatureRow = Vec<(String, String)>;

/// Reads a collection of features.
pub(super) fn read(text: &str) -> Result<Vec<FeatureRow>, ErrorKind> {
    let document: Value = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text))
        .map_err(|error| ErrorKind::NotJson(error.to_string()))?;
    if document.get("type").and_then(Value::as_str) != Some("FeatureCollection") {
        return Err(ErrorKind::NotFeatures);
    }
    let features = document
        .get("features")
        .and_then(Value::as_array)
        .ok_or(ErrorKind::NotFeatures)?;
    let rows = features.iter().zip(1..);
    rows.map(|(feature, number)| row(feature).ok_or(ErrorKind::BadFeature(number)))
        .collect()
}

fn row(feature: &Value) -> Option<FeatureRow> {
    if feature.get("type")?.as_str()? != "Feature" {
        return None;
    }
    let mut row = vec![("geometry".to_owned(), geometry(feature.get("geometry")?)?)];
    let empty = serde_json::Map::new();
    let properties = match feature.get("properties") {
        None | Some(Value::Null) => &empty,
        Some(properties) => properties.as_object()?,
    };
    // The feature's own id goes before a property of that name.
    if let Some(id) = feature.get("id").or_else(|| properties.get("id")) {
        row.push(("id".to_owned(), text_of(id)));
    }
    let others = properties.iter().filter(|(name, _)| *name != "id");
    row.extend(others.map(|(name, value)| (name.clone(), text_of(value))));
    Some(row)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), number_to_text),
        other => other.to_string(),
    }
}

/// `latitude longitude altitude accuracy`, points separated by semicolons (ODK XForms specification, "geopoint",
/// "geotrace", "geoshape"); of a polygon its outer ring.
fn geometry(geometry: &Value) -> Option<String> {
    let coordinates = geometry.get("coordinates")?;
    let line = |points: &Value| -> Option<String> {
        let points: Option<Vec<String>> = points.as_array()?.iter().map(point).collect();
        Some(points?.join("; "))
    };
    match geometry.get("type")?.as_str()? {
        "Point" => point(coordinates),
        "LineString" => line(coordinates),
        "Polygon" => match coordinates.as_array()?.first() {
            Some(ring) => line(ring),
            None => Some(String::new()),
        },
        _ => None,
    }
}

fn point(coordinates: &Value) -> Option<String> {
    let [longitude, latitude, ..] = coordinates.as_array()?.as_slice() else {
        return None;
    };
    let (longitude, latitude) = (longitude.as_f64()?, latitude.as_f64()?);
    Some(format!(
        "{} {} 0 0",
        number_to_text(latitude),
        number_to_text(longitude)
    ))
}
