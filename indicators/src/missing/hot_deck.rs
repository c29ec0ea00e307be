//! Hot-deck imputation: a gap is filled with the answer of another row of its class.

use super::MissingError;
use crate::sampling::SampleGenerator;
use std::collections::BTreeMap;

/// How to impute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HotDeckSettings {
    /// How many times all gaps are filled, from 2 to 1,000. With a third missing, 20 lose little (Graham, Olchowski &
    /// Gilreath 2007, *Prevention Science* 8, 206–213).
    pub imputations: usize,
    /// The same seed gives the same imputations on every platform.
    pub seed: u64,
}

const FEWEST: usize = 2;
const MOST: usize = 1_000;

/// Donors for every row without an answer, within classes, by the approximate Bayesian bootstrap (Rubin & Schenker 1986,
/// *Journal of the American Statistical Association* 81, 366–374): in each imputation as many rows as answered are drawn
/// from them with replacement, and every gap takes its donor at random from those drawn. The first draw is what makes
/// imputations differ as much as the gaps deserve; filling straight from those who answered would understate it.
///
/// Answers must be missing at random within classes, and weights should be alike within them, since all donors are equally
/// likely. A row takes all that it lacks from one donor, so answers that go together stay together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotDeck {
    settings: HotDeckSettings,
    rows: usize,
    is_observed: Vec<bool>,
    classes: Vec<Class>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Class {
    observed: Vec<u32>,
    missing: Vec<u32>,
}

impl HotDeck {
    /// Takes, per row, whether it answered and the code of its class.
    ///
    /// # Errors
    /// [`MissingError::NoRows`]; [`MissingError::Length`]; [`MissingError::Imputations`]; [`MissingError::NoDonor`] naming
    /// the first row of a class in which nobody answered.
    pub fn new(is_observed: &[bool], classes: &[u32], settings: HotDeckSettings) -> Result<Self, MissingError> {
        let rows = is_observed.len();
        if rows == 0 {
            return Err(MissingError::NoRows);
        }
        if classes.len() != rows {
            return Err(MissingError::Length {
                column: 1,
                given: classes.len(),
                expected: rows,
            });
        }
        if !(FEWEST..=MOST).contains(&settings.imputations) {
            return Err(MissingError::Imputations {
                imputation: settings.imputations,
                fewest: FEWEST,
                most: MOST,
            });
        }
        let mut by_code = BTreeMap::<u32, Class>::new();
        for (row, (&is_observed, &code)) in is_observed.iter().zip(classes).enumerate() {
            let class = by_code.entry(code).or_default();
            let list = if is_observed {
                &mut class.observed
            } else {
                &mut class.missing
            };
            list.push(row as u32);
        }
        let without_donor = by_code.iter().filter(|(_, class)| class.observed.is_empty());
        if let Some((row, class)) = without_donor
            .filter_map(|(&code, class)| Some((*class.missing.first()?, code)))
            .min()
        {
            return Err(MissingError::NoDonor {
                row: row as usize,
                class,
            });
        }
        Ok(HotDeck {
            settings,
            rows,
            is_observed: is_observed.to_vec(),
            classes: by_code.into_values().collect(),
        })
    }

    /// Number of imputations.
    pub fn imputations(&self) -> usize {
        self.settings.imputations
    }

    /// In one imputation, counted from 0, the row that each row takes its answers from: itself if it answered.
    ///
    /// # Errors
    /// [`MissingError::Imputations`] if there is no such imputation.
    pub fn donors(&self, imputation: usize) -> Result<Vec<u32>, MissingError> {
        if imputation >= self.imputations() {
            return Err(MissingError::Imputations {
                imputation: imputation.saturating_add(1),
                fewest: FEWEST,
                most: self.imputations(),
            });
        }
        let mut choice = SampleGenerator::new(self.settings.seed, imputation as u64);
        let mut donors: Vec<u32> = (0..self.rows as u32).collect();
        let mut pool = Vec::new();
        for class in self.classes.iter().filter(|class| !class.missing.is_empty()) {
            // No class here is without an answer, so there is always one to draw.
            pool.clear();
            pool.extend(class.observed.iter().filter_map(|_| choice.one_of(&class.observed)));
            for &row in &class.missing {
                donors[row as usize] = choice.one_of(&pool).unwrap_or(row);
            }
        }
        Ok(donors)
    }

    /// A column with its gaps filled by `donors` (of [`HotDeck::donors`]). A row that did not answer keeps the values that
    /// it has.
    ///
    /// # Errors
    /// [`MissingError::Length`] unless there is one value and one donor per row; [`MissingError::NotObserved`] naming a
    /// row that is said to have answered and has no value, and [`MissingError::Value`] one whose value is no number.
    pub fn fill(&self, donors: &[u32], values: &[Option<f64>]) -> Result<Vec<f64>, MissingError> {
        for (column, given) in [donors.len(), values.len()].into_iter().enumerate() {
            if given != self.rows {
                return Err(MissingError::Length {
                    column,
                    given,
                    expected: self.rows,
                });
            }
        }
        for (row, (value, &is_observed)) in values.iter().zip(&self.is_observed).enumerate() {
            match *value {
                None if is_observed => return Err(MissingError::NotObserved { row }),
                Some(value) if !value.is_finite() => return Err(MissingError::Value { row, column: 1, value }),
                _ => {}
            }
        }
        (donors.iter().zip(values))
            .map(|(&donor, value)| {
                let given = value.or_else(|| *values.get(donor as usize)?);
                given.ok_or(MissingError::NotObserved { row: donor as usize })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(imputations: usize) -> HotDeckSettings {
        HotDeckSettings { imputations, seed: 3 }
    }

    #[test]
    fn donors_are_of_the_same_class_and_answered() {
        let is_observed = [true, false, true, false, true, false];
        let classes = [1, 1, 2, 2, 2, 2];
        let deck = HotDeck::new(&is_observed, &classes, settings(50)).unwrap();
        let mut seen = [false; 6];
        for imputation in 0..50 {
            let donors = deck.donors(imputation).unwrap();
            assert_eq!(donors, deck.donors(imputation).unwrap());
            for (row, &donor) in donors.iter().enumerate() {
                let donor = donor as usize;
                assert!(is_observed[donor] && classes[donor] == classes[row]);
                assert!(!is_observed[row] || donor == row);
                seen[donor] |= donor != row;
            }
        }
        assert_eq!(seen, [true, false, true, false, true, false]);
    }

    #[test]
    fn gaps_are_filled_and_values_kept() {
        let deck = HotDeck::new(&[true, false, false], &[0; 3], settings(2)).unwrap();
        let donors = deck.donors(1).unwrap();
        assert_eq!(
            deck.fill(&donors, &[Some(5.0), None, Some(7.0)]).unwrap(),
            [5.0, 5.0, 7.0]
        );
        assert_eq!(
            deck.fill(&donors, &[None, None, Some(7.0)]).unwrap_err(),
            MissingError::NotObserved { row: 0 }
        );
        assert!(deck.fill(&donors, &[None]).is_err());
        assert!(deck.fill(&[9, 9, 9], &[Some(5.0), None, None]).is_err());
        assert!(deck.fill(&donors, &[Some(f64::NAN), None, None]).is_err());
        assert!(deck.donors(2).is_err());
    }

    #[test]
    fn a_class_needs_an_answer() {
        let error = HotDeck::new(&[true, false, false], &[0, 7, 7], settings(2)).unwrap_err();
        assert_eq!(error, MissingError::NoDonor { row: 1, class: 7 });
        assert!(error.vietnamese().contains("lớp 7"));
        assert!(HotDeck::new(&[true], &[0], settings(1)).is_err());
        assert!(HotDeck::new(&[true], &[], settings(2)).is_err());
        assert_eq!(HotDeck::new(&[], &[], settings(2)).unwrap_err(), MissingError::NoRows);
    }

    #[test]
    fn imputations_differ_as_much_as_theory_says() {
        // r of n rows answered, with variance s² (divisor r). The pool's mean varies by s²/r and its variance is
        // s²·(1 − 1/r) on average, so the mean of all n rows varies by
        // ((n − r)/n)²·(s²/r + s²·(1 − 1/r)/(n − r)).
        let (n, r) = (60_usize, 40_usize);
        let is_observed: Vec<bool> = (0..n).map(|row| row % 3 != 0).collect();
        let values: Vec<Option<f64>> = is_observed
            .iter()
            .enumerate()
            .map(|(row, seen)| seen.then_some((row * 7 % 13) as f64))
            .collect();
        let observed: Vec<f64> = values.iter().flatten().copied().collect();
        let mean = observed.iter().sum::<f64>() / r as f64;
        let variance = observed
            .iter()
            .map(|value| (value - mean) * (value - mean))
            .sum::<f64>()
            / r as f64;
        let (missing, answered) = ((n - r) as f64, r as f64);
        let expected =
            (missing / n as f64).powi(2) * (variance / answered + variance * (1.0 - 1.0 / answered) / missing);
        let deck = HotDeck::new(&is_observed, &vec![0; n], settings(1_000)).unwrap();
        let means: Vec<f64> = (0..1_000)
            .map(|imputation| {
                let filled = deck.fill(&deck.donors(imputation).unwrap(), &values).unwrap();
                filled.iter().sum::<f64>() / n as f64
            })
            .collect();
        let centre = means.iter().sum::<f64>() / 1_000.0;
        let spread = means
            .iter()
            .map(|value| (value - centre) * (value - centre))
            .sum::<f64>()
            / 999.0;
        // Six standard deviations: of the mean √(expected/1,000), of the variance √(2/1,000) of it.
        assert!((centre - mean).abs() < 6.0 * (expected / 1_000.0).sqrt());
        assert!((spread / expected - 1.0).abs() < 6.0 * (2.0_f64 / 1_000.0).sqrt());
    }
}
