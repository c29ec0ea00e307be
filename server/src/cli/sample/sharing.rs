//! How many units each stratum gives to a sample.

use indicators::sampling::{AllocationRule, allocate, allocate_budget};

use super::Failure;
use super::draw::{AllocationName, DrawArguments};
use super::frame::{Frame, read_strata};
use crate::cli::table_failure;
use crate::http::Text;
use crate::table::{Faults, TableError};

/// How many units each stratum gives.
pub(super) struct Sizes {
    pub(super) sample: Vec<u64>,
    pub(super) shares: Option<Vec<f64>>,
}

/// Shares the sample out.
pub(super) fn stratum_sizes(arguments: &DrawArguments, frame: &Frame, strata: Option<&[u8]>) -> Result<Sizes, Failure> {
    let units = frame.units_of_strata();
    let rule = arguments.rule();
    let columns: &[&str] = match rule {
        AllocationName::Proportional => &[],
        AllocationName::Neyman => &["standard_deviation"],
        AllocationName::Optimum => &["standard_deviation", "cost"],
        AllocationName::Power => &["importance", "coefficient_of_variation"],
        AllocationName::Given => &["sample_size"],
    };
    let known = match (strata, &arguments.strata) {
        _ if columns.is_empty() => Vec::new(),
        (Some(bytes), Some(file)) => read_strata(bytes, frame, columns).map_err(|error| table_failure(file, &error))?,
        _ => {
            return Err(Failure::new(
                format!(
                    "cách phân bổ này cần --strata với các cột stratum, {}",
                    columns.join(", ")
                ),
                format!(
                    "this rule needs --strata with the columns stratum, {}",
                    columns.join(", ")
                ),
            ));
        }
    };
    if rule == AllocationName::Given {
        let sample: Vec<u64> = known[0].iter().map(|size| *size as u64).collect();
        check_given(frame, &units, &sample, arguments)?;
        return Ok(Sizes { sample, shares: None });
    }
    let allocation = match (rule, arguments.budget, arguments.size) {
        (AllocationName::Optimum, Some(budget), _) => {
            allocate_budget(&units, &known[0], &known[1], budget, arguments.minimum)?
        }
        (_, None, Some(size)) => {
            let rule = match rule {
                AllocationName::Neyman => AllocationRule::Neyman {
                    standard_deviations: &known[0],
                },
                AllocationName::Optimum => AllocationRule::OptimumWithCosts {
                    standard_deviations: &known[0],
                    costs: &known[1],
                },
                AllocationName::Power => AllocationRule::Power {
                    importance: &known[0],
                    coefficients_of_variation: &known[1],
                    exponent: arguments.exponent,
                },
                AllocationName::Proportional | AllocationName::Given => AllocationRule::Proportional,
            };
            allocate(&units, rule, size, arguments.minimum)?
        }
        _ => {
            return Err(Failure::new(
                "cần --size; --budget chỉ dùng với --allocation optimum",
                "--size is needed; --budget goes with --allocation optimum only",
            ));
        }
    };
    Ok(Sizes {
        sample: allocation.sizes,
        shares: Some(allocation.shares),
    })
}

/// Sizes that were given must be there to be drawn.
fn check_given(frame: &Frame, units: &[u64], sample: &[u64], arguments: &DrawArguments) -> Result<(), Failure> {
    let mut faults = Faults::default();
    for ((stratum, units), size) in frame.strata.iter().zip(units).zip(sample) {
        if size > units {
            faults.table(Text::new(
                format!("tầng {stratum}, cột sample_size: cần rút {size} đơn vị, dàn mẫu chỉ có {units}"),
                format!("stratum {stratum}, column sample_size: {size} units shall be drawn, the frame has {units}"),
            ));
        }
    }
    let told = |error: TableError| match &arguments.strata {
        Some(file) => table_failure(file, &error),
        None => Failure::new(error.vietnamese(), error.to_string()),
    };
    faults.or(()).map_err(told)
}
