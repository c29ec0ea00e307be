//! Statistics as points with linearised values.

use super::column::Values;
use super::design::SurveyDesign;
use super::domain::Domain;
use super::error::{StatisticError, SurveyError};
use super::undefined::Undefined;
use crate::variance::linearization::residual;

/// A statistic with what each row adds to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Linearised {
    /// The estimate.
    pub point: f64,
    /// z_k per row, in the order of the design's rows and with the weight in it: the variance of the estimate is that of
    /// Σ z_k. Zero outside the statistic's domain.
    pub influence: Vec<f64>,
    /// What a simple random sample would have given; `None` where the statistic combines several others.
    pub simple_random: Option<SimpleRandom>,
}

/// What the variance under simple random sampling of as many elements needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimpleRandom {
    /// n, the rows of positive weight in the domain.
    pub elements: u64,
    /// N̂ = Σ w over them.
    pub population: f64,
    /// s² = n/(n − 1) · Σ w (u − ū)² / N̂ of u = z / w, the linearised values of the elements themselves.
    pub element_variance: f64,
}

impl SimpleRandom {
    /// N̂² (1 − n/N̂) s² / n; `None` if the weights add up to no more than the elements, but for rounding, as weights do
    /// that were scaled to the size of the sample.
    pub fn variance_without_replacement(&self) -> Option<f64> {
        let elements = self.elements as f64;
        (self.population > elements * (1.0 + 1e-6))
            .then(|| self.element_variance * self.population * (self.population - elements) / elements)
    }

    /// N̂² s² / n.
    pub fn variance_with_replacement(&self) -> f64 {
        self.element_variance * self.population * self.population / self.elements as f64
    }
}

/// A statistic from the linearised values u of the elements of a domain (without weights).
pub(super) fn linearise(
    design: &SurveyDesign,
    domain: &Domain<'_>,
    point: f64,
    element: impl Fn(usize) -> f64,
) -> Result<Linearised, Undefined> {
    let mut influence = vec![0.0; design.rows()];
    let (mut elements, mut population, mut sum) = (0_u64, 0.0, 0.0);
    for (row, (&weight, slot)) in design.weights().iter().zip(&mut influence).enumerate() {
        if weight > 0.0 && domain.contains(row) {
            let value = weight * element(row);
            *slot = value;
            elements += 1;
            population += weight;
            sum += value;
        }
    }
    let mean = sum / population;
    let mut squares = 0.0;
    for (row, (&weight, &value)) in design.weights().iter().zip(&influence).enumerate() {
        if weight > 0.0 && domain.contains(row) {
            let deviation = value / weight - mean;
            squares += weight * deviation * deviation;
        }
    }
    if !point.is_finite() || !squares.is_finite() {
        return Err(Undefined::TooLarge);
    }
    let simple_random = (elements > 1).then(|| SimpleRandom {
        elements,
        population,
        element_variance: elements as f64 / (elements as f64 - 1.0) * squares / population,
    });
    Ok(Linearised {
        point,
        influence,
        simple_random,
    })
}

/// Σ w over the rows of a domain.
///
/// # Errors
/// [`SurveyError::Length`]; [`Undefined::EmptyDomain`] if no row of positive weight is in the domain.
pub(super) fn population(design: &SurveyDesign, domain: &Domain<'_>) -> Result<f64, StatisticError> {
    domain.check(design.rows())?;
    let weights = design.weights().iter().enumerate();
    let sum: f64 = weights
        .filter(|&(row, _)| domain.contains(row))
        .map(|(_, &weight)| weight)
        .sum();
    if sum > 0.0 {
        Ok(sum)
    } else {
        Err(Undefined::EmptyDomain.into())
    }
}

/// Σ w·y over the rows of a domain.
fn weighted_sum(design: &SurveyDesign, values: &Values<'_>, domain: &Domain<'_>) -> Result<f64, SurveyError> {
    domain.check(design.rows())?;
    values.check(design.rows(), domain)?;
    let rows = design.weights().iter().zip(values.values).enumerate();
    Ok(rows
        .filter(|&(row, _)| domain.contains(row))
        .map(|(_, (&weight, &value))| weight * value)
        .sum())
}

/// The total Ŷ = Σ w·y over a domain; z = w·y. As `svytotal` in R.
///
/// # Errors
/// [`StatisticError`]: a column of another length, a value in the domain that is no finite number (the row is named; leave
/// it out of the domain, or fill it in), or no row in the domain.
pub fn total(design: &SurveyDesign, values: &Values<'_>, domain: &Domain<'_>) -> Result<Linearised, StatisticError> {
    population(design, domain)?;
    let point = weighted_sum(design, values, domain)?;
    Ok(linearise(design, domain, point, |row| values.values[row])?)
}

/// The mean Σ w·y / Σ w over a domain; z = w·(y − ȳ) / N̂. As `svymean` in R.
///
/// # Errors
/// As [`total`].
pub fn mean(design: &SurveyDesign, values: &Values<'_>, domain: &Domain<'_>) -> Result<Linearised, StatisticError> {
    let population = population(design, domain)?;
    let mean = weighted_sum(design, values, domain)? / population;
    Ok(linearise(design, domain, mean, |row| {
        residual(values.values[row], mean) / population
    })?)
}

/// The ratio R̂ = Σ w·y / Σ w·x over a domain; z = w·(y − R̂x) / X̂. As `svyratio` in R.
///
/// # Errors
/// As [`total`], and [`Undefined::ZeroDenominator`].
pub fn ratio(
    design: &SurveyDesign,
    numerator: &Values<'_>,
    denominator: &Values<'_>,
    domain: &Domain<'_>,
) -> Result<Linearised, StatisticError> {
    population(design, domain)?;
    let y = weighted_sum(design, numerator, domain)?;
    let x = weighted_sum(design, denominator, domain)?;
    if x == 0.0 {
        return Err(Undefined::ZeroDenominator.into());
    }
    let ratio = y / x;
    Ok(linearise(design, domain, ratio, |row| {
        residual(numerator.values[row], ratio * denominator.values[row]) / x
    })?)
}

/// The share of a domain that is also in `category`: a mean of 0 and 1.
///
/// # Errors
/// As [`total`].
pub fn proportion(
    design: &SurveyDesign,
    category: &Domain<'_>,
    domain: &Domain<'_>,
) -> Result<Linearised, StatisticError> {
    category.check(design.rows())?;
    let population = population(design, domain)?;
    let rows = design.weights().iter().enumerate();
    let inside: f64 = rows
        .filter(|&(row, _)| domain.contains(row) && category.contains(row))
        .map(|(_, &weight)| weight)
        .sum();
    let share = inside / population;
    Ok(linearise(design, domain, share, |row| {
        (f64::from(u8::from(category.contains(row))) - share) / population
    })?)
}

/// Σ c_i θ_i for statistics over the same design: contrasts, sums of domains, changes between rounds.
///
/// A change between two rounds is a combination of two statistics over one design whose rows are those of both rounds,
/// one below the other: where the same cluster was visited twice it has the same code in both, and the covariance that
/// comes of it is in the engine's sums over that cluster (Kish 1965, section 12.4).
///
/// # Errors
/// [`SurveyError::Coefficients`], [`Undefined::TooLarge`].
pub fn combination(statistics: &[&Linearised], coefficients: &[f64]) -> Result<Linearised, StatisticError> {
    if statistics.len() != coefficients.len() {
        return Err(SurveyError::Coefficients {
            given: coefficients.len(),
            expected: statistics.len(),
        }
        .into());
    }
    let rows = statistics
        .iter()
        .map(|statistic| statistic.influence.len())
        .max()
        .unwrap_or(0);
    let mut combined = Linearised {
        point: 0.0,
        influence: vec![0.0; rows],
        simple_random: None,
    };
    for (statistic, &coefficient) in statistics.iter().zip(coefficients) {
        combined.point += coefficient * statistic.point;
        for (sum, value) in combined.influence.iter_mut().zip(&statistic.influence) {
            *sum += coefficient * value;
        }
    }
    finite(combined)
}

/// θ_1 − θ_2: between two domains, or between two rounds (see [`combination`]).
///
/// # Errors
/// [`Undefined::TooLarge`].
pub fn difference(one: &Linearised, other: &Linearised) -> Result<Linearised, StatisticError> {
    combination(&[one, other], &[1.0, -1.0])
}

/// θ_1 / θ_2 with z = (z_1 − θ z_2) / θ_2: of totals, a ratio; of the same statistic in two rounds, relative change plus 1.
///
/// # Errors
/// [`Undefined::ZeroDenominator`], [`Undefined::TooLarge`].
pub fn quotient(one: &Linearised, other: &Linearised) -> Result<Linearised, StatisticError> {
    if other.point == 0.0 {
        return Err(Undefined::ZeroDenominator.into());
    }
    let point = one.point / other.point;
    let mut quotient = combination(&[one, other], &[1.0 / other.point, -point / other.point])?;
    quotient.point = point;
    finite(quotient)
}

fn finite(statistic: Linearised) -> Result<Linearised, StatisticError> {
    if statistic.point.is_finite() && statistic.influence.iter().all(|value| value.is_finite()) {
        Ok(statistic)
    } else {
        Err(Undefined::TooLarge.into())
    }
}
