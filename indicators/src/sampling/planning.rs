//! How many interviews an aim needs.
//!
//! All of this is for large samples: the normal (or Student's) approximation holds roughly from 30 interviews on, and later
//! for proportions near 0 or 1.

use super::{SamplingError, Value};
use crate::intervals::{ConfidenceLevel, normal_quantile};

/// The largest count that is planned with.
const LARGEST_COUNT: f64 = 1e15;
/// The largest design effect.
const LARGEST_DESIGN_EFFECT: f64 = 1e6;
/// What a computed number of interviews may exceed a whole number by before it is rounded up: rounding errors only.
const ROUNDING: f64 = 1e-9;

/// The design effect to expect: (1 + (m − 1)·ρ)·(1 + v).
///
/// `cluster_size` m is the number of interviews in a hamlet, `intraclass_correlation` ρ how alike households of a hamlet
/// are (0: not at all, 1: wholly), `weight_variation` v the squared coefficient of variation of the weights, 0 for equal
/// ones. Kish, *Survey Sampling* (1965), sections 5.4 and 11.7; Kish (1987), "Weighting in Deft²", The Survey Statistician.
///
/// # Errors
/// [`SamplingError::OutOfRange`] unless 1 ≤ m ≤ 1e15, ρ ≤ 1, 0 ≤ v ≤ 1e6 and the result is above 0 and at most 1e6.
pub fn expected_design_effect(
    cluster_size: f64,
    intraclass_correlation: f64,
    weight_variation: f64,
) -> Result<f64, SamplingError> {
    check(
        Value::ClusterSize,
        cluster_size,
        (1.0..=LARGEST_COUNT).contains(&cluster_size),
    )?;
    let is_variation = (0.0..=LARGEST_DESIGN_EFFECT).contains(&weight_variation);
    check(Value::WeightVariation, weight_variation, is_variation)?;
    let clustering = 1.0 + (cluster_size - 1.0) * intraclass_correlation;
    let is_correlation = intraclass_correlation <= 1.0 && clustering > 0.0;
    check(Value::IntraclassCorrelation, intraclass_correlation, is_correlation)?;
    let effect = clustering * (1.0 + weight_variation);
    check_design_effect(effect)?;
    Ok(effect)
}

/// An interval for a proportion that a survey shall reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionAim {
    /// The proportion to expect; 0.5 is the most demanding.
    pub proportion: f64,
    /// Half the interval's width, in the proportion's own unit.
    pub margin: f64,
    /// The interval's confidence level.
    pub level: ConfidenceLevel,
    /// The design effect to expect ([`expected_design_effect`]); 1 for a simple random sample.
    pub design_effect: f64,
    /// How many units there are altogether; none where there are so many that it does not matter.
    pub population: Option<f64>,
    /// The share of the approached who will respond.
    pub response_rate: f64,
}

/// What an aim needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedSize {
    /// n_0 = z²·p·(1 − p)/d², what a simple random sample of an endless population would need.
    pub simple_random: f64,
    /// Interviews that must be completed.
    pub interviews: u64,
    /// Units to approach, so that as many respond.
    pub approached: u64,
    /// Whether that is more than there are: the aim cannot be reached with this response rate.
    pub exceeds_population: bool,
}

/// How many interviews bring the margin of error down to the one aimed at.
///
/// n = n'/(1 + (n' − 1)/N) with n' = deff·n_0, which solves deff·(N − n)/(N − 1)·p·(1 − p)/n = (d/z)²; Cochran, *Sampling
/// Techniques* (3rd edition, 1977), equations 4.1 and 4.2, with the design effect on the variance.
///
/// # Errors
/// [`SamplingError::OutOfRange`] naming the number that is out of its range.
pub fn sample_size(aim: &PrecisionAim) -> Result<PlannedSize, SamplingError> {
    check_share(Value::Proportion, aim.proportion)?;
    check_share(Value::Margin, aim.margin)?;
    check_design_effect(aim.design_effect)?;
    check_population(aim.population)?;
    let is_rate = aim.response_rate > 0.0 && aim.response_rate <= 1.0;
    check(Value::ResponseRate, aim.response_rate, is_rate)?;
    let z = two_sided(aim.level)?;
    let simple_random = (z / aim.margin) * (z / aim.margin) * aim.proportion * (1.0 - aim.proportion);
    let endless = (simple_random * aim.design_effect).max(1.0);
    let needed = match aim.population {
        None => endless,
        Some(population) => endless / (1.0 + (endless - 1.0) / population),
    };
    let interviews = whole(needed, aim.population)?;
    let approached = whole(interviews as f64 / aim.response_rate, None)?;
    Ok(PlannedSize {
        simple_random,
        interviews,
        approached,
        exceeds_population: aim.population.is_some_and(|population| approached as f64 > population),
    })
}

/// The margin of error that so many interviews give: z·√(deff·(N − n)/(N − 1)·p·(1 − p)/n), the reverse of
/// [`sample_size`]. The aim's own margin and response rate are not read.
///
/// # Errors
/// As [`sample_size`], and unless 1 ≤ interviews ≤ population.
pub fn margin_of_error(aim: &PrecisionAim, interviews: u64) -> Result<f64, SamplingError> {
    check_share(Value::Proportion, aim.proportion)?;
    check_design_effect(aim.design_effect)?;
    check_population(aim.population)?;
    let n = interviews as f64;
    let most = aim.population.unwrap_or(LARGEST_COUNT);
    check(Value::Interviews, n, (1.0..=most).contains(&n))?;
    let correction = match aim.population {
        Some(population) if population > 1.0 => (population - n) / (population - 1.0),
        Some(_) => 0.0,
        None => 1.0,
    };
    let variance = aim.design_effect * correction * aim.proportion * (1.0 - aim.proportion) / n;
    Ok(two_sided(aim.level)? * variance.sqrt())
}

/// On which scale an interval is symmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// log(p/(1 − p)), for proportions between 0 and 1.
    Logit,
    /// The ratio's own.
    Identity,
}

/// What is known of an indicator now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The estimate, as a ratio.
    pub point: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Interviews that it rests on.
    pub interviews: f64,
    /// Units that there are altogether; none where that does not matter.
    pub population: Option<f64>,
    /// How many standard errors the interval reaches to each side: Student's or the normal quantile.
    pub critical_value: f64,
    /// The scale of the interval.
    pub scale: Scale,
}

/// How many interviews altogether, the present ones included, would bring the whole interval to one side of `target`, with
/// the chance `assurance`, if the present estimate is the truth and further interviews are drawn as those so far.
///
/// With an assurance of 0.5 the interval just clears the target when the estimate stays where it is; since it will move to
/// either side, that is an even chance. The variance is taken to fall as 1/n − 1/N, the design effect to stay, and the
/// critical value to stay (more hamlets make it smaller). Solves |g(R̂) − g(target)| = (t + z_assurance)·se(n) on the
/// interval's scale g; the argument of power (J. M. Lachin 1981, "Introduction to Sample Size Determination and Power
/// Analysis for Clinical Trials", Controlled Clinical Trials 2, 93–113) for one estimate and a fixed value.
///
/// `None` where the estimate lies on the target: no sample decides that, only full enumeration. The result is never below
/// the present number.
///
/// # Errors
/// [`SamplingError::OutOfRange`] naming the number that is out of its range.
pub fn interviews_to_decide(standing: &Standing, target: f64, assurance: f64) -> Result<Option<u64>, SamplingError> {
    let logit = standing.scale == Scale::Logit;
    let on_scale = |share: f64| share > 0.0 && share < 1.0;
    check(Value::Proportion, standing.point, !logit || on_scale(standing.point))?;
    check(Value::Target, target, !logit || on_scale(target))?;
    check(
        Value::StandardError,
        standing.standard_error,
        standing.standard_error > 0.0,
    )?;
    check(
        Value::StandardError,
        standing.critical_value,
        standing.critical_value > 0.0,
    )?;
    check_population(standing.population)?;
    let most = standing.population.unwrap_or(LARGEST_COUNT);
    let n = standing.interviews;
    check(Value::Interviews, n, (1.0..=most).contains(&n))?;
    check(Value::Assurance, assurance, (0.5..1.0).contains(&assurance))?;
    let z = normal_quantile(assurance).unwrap_or(0.0);
    let (distance, error) = if logit {
        let g = |share: f64| (share / (1.0 - share)).ln();
        let slope = standing.point * (1.0 - standing.point);
        ((g(standing.point) - g(target)).abs(), standing.standard_error / slope)
    } else {
        ((standing.point - target).abs(), standing.standard_error)
    };
    if distance == 0.0 {
        return Ok(None);
    }
    let wanted = distance / (standing.critical_value + z);
    let shrink = (wanted / error) * (wanted / error);
    let rest = standing.population.map_or(0.0, |population| 1.0 / population);
    let needed = 1.0 / (rest + shrink * (1.0 / n - rest));
    whole(needed.max(n), standing.population).map(Some)
}

/// As [`interviews_to_decide`] where all observed are alike, so that there is no standard error: the exact interval of
/// Clopper & Pearson reaches (tail)^(1/m) from the side of the unobserved answer, where m is the effective number of
/// interviews, and clears a target at distance q from that side when m ≥ ln(tail)/ln(q).
///
/// `tail` is the probability left out on one side, `reach` how far the interval reaches now from the other end: its lower
/// end where all have the attribute, one minus its upper end where none has. `needed_reach` is the same for the target.
/// The effective number is taken to grow as the interviews do.
pub(crate) fn interviews_where_all_are_alike(
    interviews: f64,
    population: Option<f64>,
    tail: f64,
    reach: f64,
    needed_reach: f64,
) -> Result<Option<u64>, SamplingError> {
    check_share(Value::Target, needed_reach)?;
    check_share(Value::Proportion, reach)?;
    let effective = tail.ln() / reach.ln();
    let needed = tail.ln() / needed_reach.ln();
    whole((interviews * needed / effective).max(interviews), population).map(Some)
}

/// The number of interviews as a whole one, at most all.
fn whole(number: f64, population: Option<f64>) -> Result<u64, SamplingError> {
    let most = population.map_or(LARGEST_COUNT, f64::floor);
    let count = (number * (1.0 - ROUNDING)).ceil().min(most);
    check(Value::Interviews, count, number <= LARGEST_COUNT)?;
    Ok(count as u64)
}

/// The z of a two-sided interval.
fn two_sided(level: ConfidenceLevel) -> Result<f64, SamplingError> {
    normal_quantile(1.0 - level.tail()).map_err(|_| SamplingError::OutOfRange {
        value: Value::Assurance,
        given: level.fraction(),
    })
}

fn check(value: Value, given: f64, is_right: bool) -> Result<(), SamplingError> {
    if is_right && given.is_finite() {
        Ok(())
    } else {
        Err(SamplingError::OutOfRange { value, given })
    }
}

fn check_share(value: Value, given: f64) -> Result<(), SamplingError> {
    check(value, given, given > 0.0 && given < 1.0)
}

fn check_design_effect(effect: f64) -> Result<(), SamplingError> {
    check(
        Value::DesignEffect,
        effect,
        effect > 0.0 && effect <= LARGEST_DESIGN_EFFECT,
    )
}

fn check_population(population: Option<f64>) -> Result<(), SamplingError> {
    match population {
        Some(population) => check(
            Value::Population,
            population,
            (1.0..=LARGEST_COUNT).contains(&population),
        ),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE_PERCENT;

    fn aim(margin: f64) -> PrecisionAim {
        PrecisionAim {
            proportion: 0.5,
            margin,
            level: LEVEL,
            design_effect: 1.0,
            population: None,
            response_rate: 1.0,
        }
    }

    /// The level for which z is 2, which worked examples round 1.96 to.
    fn two_standard_errors() -> ConfidenceLevel {
        ConfidenceLevel::new(0.954_499_736_103_641_6).unwrap()
    }

    #[test]
    fn the_island_of_cochran() {
        // Cochran (1977), sections 4.1 and 4.4: p = 50 %, d = 5 %, t = 2 give n_0 = 400; of 3,200 people, 356.
        let island = PrecisionAim {
            level: two_standard_errors(),
            ..aim(0.05)
        };
        let planned = sample_size(&island).unwrap();
        assert!((planned.simple_random - 400.0).abs() < 1e-6);
        assert_eq!(planned.interviews, 400);
        let island = PrecisionAim {
            population: Some(3_200.0),
            ..island
        };
        assert_eq!(sample_size(&island).unwrap().interviews, 356);
    }

    #[test]
    fn a_design_effect_multiplies_and_non_response_is_made_up_for() {
        let plain = sample_size(&aim(0.03)).unwrap();
        // 1.96²/4/0.03² = 1067.07
        assert_eq!(plain.interviews, 1068);
        let effect = expected_design_effect(15.0, 0.05, 0.0).unwrap();
        assert!((effect - 1.7).abs() < 1e-12);
        let clustered = sample_size(&PrecisionAim {
            design_effect: effect,
            response_rate: 0.9,
            ..aim(0.03)
        })
        .unwrap();
        // 1067.07·1.7 = 1814.02, and 1815/0.9 = 2016.7
        assert_eq!((clustered.interviews, clustered.approached), (1815, 2017));
        // Unequal weights: 1.7·(1 + 0.2).
        assert!((expected_design_effect(15.0, 0.05, 0.2).unwrap() - 2.04).abs() < 1e-12);
    }

    #[test]
    fn the_margin_reached_is_the_margin_aimed_at_and_one_interview_fewer_misses_it() {
        for population in [None, Some(200.0), Some(5_000.0), Some(500_000.0)] {
            for (proportion, margin, design_effect) in [(0.5, 0.05, 1.0), (0.8, 0.02, 2.5), (0.1, 0.01, 1.3)] {
                let aim = PrecisionAim {
                    proportion,
                    design_effect,
                    population,
                    ..aim(margin)
                };
                let interviews = sample_size(&aim).unwrap().interviews;
                assert!(margin_of_error(&aim, interviews).unwrap() <= margin * (1.0 + 1e-9));
                assert!(margin_of_error(&aim, interviews - 1).unwrap() > margin);
            }
        }
    }

    #[test]
    fn more_than_there_are_cannot_be_approached() {
        let planned = sample_size(&PrecisionAim {
            population: Some(300.0),
            response_rate: 0.5,
            ..aim(0.05)
        })
        .unwrap();
        assert_eq!((planned.interviews, planned.approached), (169, 338));
        assert!(planned.exceeds_population);
    }

    #[test]
    fn an_estimate_near_its_target_needs_many_more_interviews() {
        let standing = Standing {
            point: 0.5,
            standard_error: 0.05,
            interviews: 100.0,
            population: None,
            critical_value: 2.0,
            scale: Scale::Identity,
        };
        // 0.05 away with an error of 0.05: the error must be halved at two standard errors.
        assert_eq!(interviews_to_decide(&standing, 0.45, 0.5), Ok(Some(400)));
        assert_eq!(interviews_to_decide(&standing, 0.2, 0.5), Ok(Some(100)));
        assert_eq!(interviews_to_decide(&standing, 0.5, 0.5), Ok(None));
        // With a chance of 80 %: (2 + 0.8416)² · 100 = 807.5.
        assert_eq!(interviews_to_decide(&standing, 0.45, 0.8), Ok(Some(808)));
        // Of 400, the error is 0 at 400: 1/(1/400 + ¼·(1/100 − 1/400)) = 228.6.
        let of_few = Standing {
            population: Some(400.0),
            ..standing
        };
        assert_eq!(interviews_to_decide(&of_few, 0.45, 0.5), Ok(Some(229)));
        let nearly = interviews_to_decide(&of_few, 0.4999, 0.5).unwrap();
        assert_eq!(nearly, Some(400));
    }

    #[test]
    fn on_the_logit_scale_the_interval_just_clears_the_target() {
        let standing = Standing {
            point: 0.83,
            standard_error: 0.03,
            interviews: 240.0,
            population: Some(9_000.0),
            critical_value: 2.1,
            scale: Scale::Logit,
        };
        let target = 0.8;
        let needed = interviews_to_decide(&standing, target, 0.5).unwrap().unwrap() as f64;
        let lower = |n: f64| {
            let shrunk = ((1.0 / n - 1.0 / 9_000.0) / (1.0 / 240.0 - 1.0 / 9_000.0)).sqrt();
            let logit = (0.83_f64 / 0.17).ln() - 2.1 * 0.03 * shrunk / (0.83 * 0.17);
            1.0 / (1.0 + (-logit).exp())
        };
        assert!(lower(needed) >= target && lower(needed - 1.0) < target, "{needed}");
        let error = interviews_to_decide(&standing, 1.0, 0.5).unwrap_err();
        assert_eq!(error.to_string(), "the target is 1; it must be above 0 and below 1");
    }

    #[test]
    fn where_all_are_alike_the_exact_interval_decides() {
        // 0.975^… : n answers alike leave (0.025)^(1/n) as the lower end; 0.8 needs ln 0.025/ln 0.8 = 16.5.
        let reach = 0.025_f64.powf(1.0 / 10.0);
        assert_eq!(
            interviews_where_all_are_alike(10.0, None, 0.025, reach, 0.8),
            Ok(Some(17))
        );
        // With half as many effective interviews, twice as many.
        let reach = 0.025_f64.powf(1.0 / 5.0);
        assert_eq!(
            interviews_where_all_are_alike(10.0, None, 0.025, reach, 0.8),
            Ok(Some(34))
        );
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let error = sample_size(&aim(0.0)).unwrap_err();
        assert_eq!(error.vietnamese(), "sai số biên là 0; phải lớn hơn 0 và nhỏ hơn 1");
        assert!(expected_design_effect(15.0, -0.2, 0.0).is_err());
        assert!(expected_design_effect(0.0, 0.1, 0.0).is_err());
        assert!(expected_design_effect(15.0, f64::NAN, 0.0).is_err());
        assert!(
            sample_size(&PrecisionAim {
                response_rate: 0.0,
                ..aim(0.1)
            })
            .is_err()
        );
        assert!(
            sample_size(&PrecisionAim {
                margin: 1e-9,
                ..aim(0.1)
            })
            .is_err()
        );
        assert!(margin_of_error(&aim(0.1), 0).is_err());
    }
}
