//! Sums over hamlets that suffice for an estimate with its variance, each of constant size.
//!
//! With k = M/m, u = k·Σy and v = k·Σx of a hamlet, the total of its linearised values is z = N/n · (u − R·v). So the
//! variance between the n hamlets of a stratum,
//!
//! (1 − n/N) · n/(n − 1) · (Σz² − (Σz)²/n),
//!
//! is a quadratic form in R of Σu, Σv, Σu², Σuv and Σv², of which only the common factor N/n depends on other hamlets; and
//! the variance within a hamlet is one of its own sums (`variance::linearization` has the formulas). A changed household
//! changes the terms of one hamlet.

use super::double_double::DoubleDouble;
use crate::summary::IndicatorSums;
use crate::variance::LonelyPsu;

/// yy − 2R·xy + R²·xx, for any R.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QuadraticForm {
    yy: DoubleDouble,
    xy: DoubleDouble,
    xx: DoubleDouble,
}

impl QuadraticForm {
    fn add(&mut self, other: &Self) {
        self.yy += other.yy;
        self.xy += other.xy;
        self.xx += other.xx;
    }

    fn minus(&self, other: &Self) -> Self {
        QuadraticForm {
            yy: self.yy - other.yy,
            xy: self.xy - other.xy,
            xx: self.xx - other.xx,
        }
    }

    fn clear_y(&mut self) {
        (self.yy, self.xy) = Default::default();
    }

    fn clear_x(&mut self) {
        (self.xx, self.xy) = Default::default();
    }

    fn times(&self, factor: f64) -> Self {
        QuadraticForm {
            yy: self.yy * factor,
            xy: self.xy * factor,
            xx: self.xx * factor,
        }
    }

    /// The value at R; zero where it is no more than what rounding leaves of terms of the size given by another form's
    /// yy + R²·xx.
    fn at(&self, ratio: f64, size: (f64, f64)) -> f64 {
        /// R itself is rounded, so that residuals that are all zero come out as large as that.
        const ROUNDING: f64 = 64.0 * f64::EPSILON * f64::EPSILON;
        let square = DoubleDouble::product(ratio, ratio);
        let form = (self.yy - self.xy * (2.0 * ratio) + self.xx * square).value();
        if form <= ROUNDING * (size.0 + square.value() * size.1) {
            0.0
        } else {
            form
        }
    }
}

/// The terms of one hamlet, or their sums over the hamlets of a stratum.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms {
    pub(super) households_with_denominator: i64,
    /// Hamlets in which some household has y ≠ 0, and x > 0: without any, what rounding left of others is cleared.
    psus_with_numerator: i64,
    psus_with_denominator: i64,
    pub(super) numerator_observed: DoubleDouble,
    pub(super) denominator_observed: DoubleDouble,
    /// u and v.
    numerator: DoubleDouble,
    denominator: DoubleDouble,
    /// u², u·v and v².
    squares: QuadraticForm,
    /// k²·(1 − m/M)·m/(m − 1)·Σ(e − ē)².
    within: QuadraticForm,
    /// k·Σe².
    elements: QuadraticForm,
    /// M.
    households: f64,
    /// Σ k and Σ k² over the households with a denominator.
    weights: DoubleDouble,
    squared_weights: DoubleDouble,
}

impl Terms {
    /// Of a hamlet of which `responding` of `frame` households have responded; nothing if none has.
    pub(super) fn of(sums: &IndicatorSums, responding: u64, frame: u64, lonely: LonelyPsu) -> Self {
        if responding == 0 {
            return Terms::default();
        }
        let (m, frame) = (responding as f64, frame as f64);
        let k = frame / m;
        let (numerator, denominator) = (
            DoubleDouble::product(k, sums.numerator),
            DoubleDouble::product(k, sums.denominator),
        );
        let raw = QuadraticForm {
            yy: sums.numerator_squared.into(),
            xy: sums.product.into(),
            xx: sums.denominator_squared.into(),
        };
        let with_denominator = sums.households_with_denominator as f64;
        Terms {
            households_with_denominator: sums.households_with_denominator as i64,
            psus_with_numerator: i64::from(sums.numerator_squared > 0.0),
            psus_with_denominator: i64::from(sums.households_with_denominator > 0),
            numerator_observed: sums.numerator.into(),
            denominator_observed: sums.denominator.into(),
            numerator,
            denominator,
            squares: QuadraticForm {
                yy: numerator * numerator,
                xy: numerator * denominator,
                xx: denominator * denominator,
            },
            within: within(sums, &raw, m, frame, lonely),
            elements: raw.times(k),
            households: frame,
            weights: DoubleDouble::product(k, with_denominator),
            squared_weights: DoubleDouble::product(k, k) * with_denominator,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.households_with_denominator += other.households_with_denominator;
        self.psus_with_numerator += other.psus_with_numerator;
        self.psus_with_denominator += other.psus_with_denominator;
        self.numerator_observed += other.numerator_observed;
        self.denominator_observed += other.denominator_observed;
        self.numerator += other.numerator;
        self.denominator += other.denominator;
        self.squares.add(&other.squares);
        self.within.add(&other.within);
        self.elements.add(&other.elements);
        self.households += other.households;
        self.weights += other.weights;
        self.squared_weights += other.squared_weights;
        if self.psus_with_numerator == 0 {
            self.numerator_observed = DoubleDouble::default();
            self.numerator = DoubleDouble::default();
            for form in [&mut self.squares, &mut self.within, &mut self.elements] {
                form.clear_y();
            }
        }
        if self.psus_with_denominator == 0 {
            self.denominator_observed = DoubleDouble::default();
            self.denominator = DoubleDouble::default();
            for form in [&mut self.squares, &mut self.within, &mut self.elements] {
                form.clear_x();
            }
        }
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        Terms {
            households_with_denominator: self.households_with_denominator - other.households_with_denominator,
            psus_with_numerator: self.psus_with_numerator - other.psus_with_numerator,
            psus_with_denominator: self.psus_with_denominator - other.psus_with_denominator,
            numerator_observed: self.numerator_observed - other.numerator_observed,
            denominator_observed: self.denominator_observed - other.denominator_observed,
            numerator: self.numerator - other.numerator,
            denominator: self.denominator - other.denominator,
            squares: self.squares.minus(&other.squares),
            within: self.within.minus(&other.within),
            elements: self.elements.minus(&other.elements),
            households: self.households - other.households,
            weights: self.weights - other.weights,
            squared_weights: self.squared_weights - other.squared_weights,
        }
    }

    /// Given that all hamlets were taken: weights are k, and only households were drawn.
    pub(super) fn enumerated(&self) -> Weighted {
        Weighted {
            numerator: self.numerator,
            denominator: self.denominator,
            households: self.households.into(),
            weights: self.weights,
            squared_weights: self.squared_weights,
            elements: self.elements,
            variance: self.within,
            size: self.size(),
        }
    }

    /// yy and xx of what a variance is made of: what is far below them is rounding.
    fn size(&self) -> (f64, f64) {
        (
            self.squares.yy.value() + self.within.yy.value(),
            self.squares.xx.value() + self.within.xx.value(),
        )
    }

    /// Weighted sums of several strata without what rounding left of hamlets that are no longer counted in these terms.
    pub(super) fn clear(&self, mut weighted: Weighted) -> Weighted {
        if self.psus_with_numerator == 0 {
            weighted.numerator = DoubleDouble::default();
            weighted.variance.clear_y();
            weighted.elements.clear_y();
        }
        if self.psus_with_denominator == 0 {
            weighted.denominator = DoubleDouble::default();
            weighted.variance.clear_x();
            weighted.elements.clear_x();
        }
        weighted
    }

    /// Where `sampled` of `frame` hamlets of the stratum were drawn: weights are N/n · k.
    pub(super) fn sampled(&self, sampled: u64, frame: u64, lonely: LonelyPsu) -> Weighted {
        if sampled == 0 {
            return Weighted::default();
        }
        let (n, frame) = (sampled as f64, frame as f64);
        let weight = frame / n;
        let square = weight * weight;
        let mut variance = self.within.times(square * (n / frame));
        if n < frame {
            let correction = (frame - n) / frame * square;
            if n > 1.0 {
                variance.add(&self.centred(n).times(correction * (n / (n - 1.0))));
            } else if lonely == LonelyPsu::Adjust {
                variance.add(&self.squares.times(correction));
            }
        }
        let size = self.size();
        Weighted {
            numerator: self.numerator * weight,
            denominator: self.denominator * weight,
            households: DoubleDouble::product(self.households, weight),
            weights: self.weights * weight,
            squared_weights: self.squared_weights * square,
            elements: self.elements.times(weight),
            variance,
            size: (size.0 * square, size.1 * square),
        }
    }

    /// Σu² − (Σu)²/n and so on.
    fn centred(&self, n: f64) -> QuadraticForm {
        let mean = self.numerator.divided_by(n);
        QuadraticForm {
            yy: self.squares.yy - mean * self.numerator,
            xy: self.squares.xy - mean * self.denominator,
            xx: self.squares.xx - self.denominator.divided_by(n) * self.denominator,
        }
    }
}

/// The variance within a hamlet, for its own weight k.
fn within(sums: &IndicatorSums, raw: &QuadraticForm, m: f64, frame: f64, lonely: LonelyPsu) -> QuadraticForm {
    if m >= frame {
        return QuadraticForm::default();
    }
    let k = frame / m;
    let correction = (frame - m) / frame * k * k;
    if m <= 1.0 {
        return match lonely {
            LonelyPsu::Adjust => raw.times(correction),
            LonelyPsu::Certainty | LonelyPsu::Fail => QuadraticForm::default(),
        };
    }
    let IndicatorSums {
        numerator: y,
        denominator: x,
        ..
    } = *sums;
    // m·Σy² − (Σy)², exact for whole numbers.
    let centred = QuadraticForm {
        yy: raw.yy * m - DoubleDouble::product(y, y),
        xy: raw.xy * m - DoubleDouble::product(x, y),
        xx: raw.xx * m - DoubleDouble::product(x, x),
    };
    centred.times(correction / (m - 1.0))
}

/// Sums with the weights of an estimate, over one stratum or over those of a domain.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weighted {
    /// Σ w·y and Σ w·x.
    pub(super) numerator: DoubleDouble,
    pub(super) denominator: DoubleDouble,
    /// Σ w.
    pub(super) households: DoubleDouble,
    /// Σ w and Σ w² over the households with a denominator.
    pub(super) weights: DoubleDouble,
    pub(super) squared_weights: DoubleDouble,
    /// Σ w·e².
    elements: QuadraticForm,
    /// Variance of Σ w·e.
    variance: QuadraticForm,
    /// [`Terms::size`] with these weights.
    size: (f64, f64),
}

impl Weighted {
    pub(super) fn add(&mut self, other: &Self) {
        self.numerator += other.numerator;
        self.denominator += other.denominator;
        self.households += other.households;
        self.weights += other.weights;
        self.squared_weights += other.squared_weights;
        self.elements.add(&other.elements);
        self.variance.add(&other.variance);
        self.size.0 += other.size.0;
        self.size.1 += other.size.1;
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        Weighted {
            numerator: self.numerator - other.numerator,
            denominator: self.denominator - other.denominator,
            households: self.households - other.households,
            weights: self.weights - other.weights,
            squared_weights: self.squared_weights - other.squared_weights,
            elements: self.elements.minus(&other.elements),
            variance: self.variance.minus(&other.variance),
            size: (self.size.0 - other.size.0, self.size.1 - other.size.1),
        }
    }

    pub(super) fn residual_variance(&self, ratio: f64) -> f64 {
        self.variance.at(ratio, self.size)
    }

    pub(super) fn residual_squares(&self, ratio: f64) -> f64 {
        let size = (self.elements.yy.value(), self.elements.xx.value());
        self.elements.at(ratio, size)
    }
}
