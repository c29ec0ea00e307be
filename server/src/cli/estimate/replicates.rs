//! Replicate weights: those that come with the data, or made from the first stage.

use indicators::replicates::{
    BalancedSettings, BootstrapSettings, Centre, FirstStage, GivenMethod, LargeStrata, Replicates, ReplicatesError,
};
use indicators::survey::{Labels, SingleUnits};
use indicators::variance::LonelyPsu;

use super::Fault;
use super::calibration::Calibration;
use super::design::{CentreEntry, Design, ReplicateMethod, ReplicatesEntry};
use super::sampling::{Columns, Stage};
use crate::cli::Failure;
use crate::cli::microdata::Data;
use crate::http::Text;
use crate::table::Faults;

/// Most replicate weights that are kept at once, where calibration needs each replicate's: 1 GB.
const MOST_WEIGHTS: usize = 1 << 27;

/// The replicates of a design, calibrated as its weights are; `None` where it has none.
///
/// # Errors
/// A [`Fault`]: columns that do not exist or hold no numbers, keys that do not go together, or strata that the method cannot use.
pub(super) fn make(
    design: &Design,
    data: &Data,
    columns: &Columns,
    calibration: Option<&Calibration>,
) -> Result<Option<Replicates>, Fault> {
    let Some(entry) = &design.entries.replicates else {
        return Ok(None);
    };
    let wrong = |vi: &str, en: &str| Fault::Design(design.failure(&entry.method, &Text::new(vi, en)));
    let replicates = match &entry.columns {
        Some(names) => {
            let mut found = Vec::new();
            for name in names {
                match name.get_ref().strip_suffix('*') {
                    None => found.push(name.get_ref().as_str()),
                    Some(beginning) => {
                        let before = found.len();
                        found.extend(data.names().into_iter().filter(|name| name.starts_with(beginning)));
                        if found.len() == before {
                            let unknown = data.unknown(name.get_ref());
                            return Err(Fault::Design(design.failure(name, &unknown)));
                        }
                    }
                }
            }
            given(entry, data, columns, &found, &wrong)?
        }
        None => {
            if entry.scales.is_some() || entry.combined.is_some() {
                return Err(wrong(
                    "scales và combined chỉ dùng cùng columns",
                    "scales and combined need columns",
                ));
            }
            made(entry, design.entries.single_units, columns, &wrong)?
        }
    };
    let replicates = replicates.centred_at(match entry.centre {
        CentreEntry::ReplicateMean => Centre::ReplicateMean,
        CentreEntry::FullEstimate => Centre::FullEstimate,
    });
    match calibration {
        None => Ok(Some(replicates)),
        Some(calibration) => calibrated(replicates, calibration, entry, &wrong).map(Some),
    }
}

/// Columns that come with the data.
fn given(
    entry: &ReplicatesEntry,
    data: &Data,
    columns: &Columns,
    names: &[&str],
    wrong: &impl Fn(&str, &str) -> Fault,
) -> Result<Replicates, Fault> {
    let method = match (*entry.method.get_ref(), entry.rho, &entry.scales) {
        (_, None, Some(scales)) => GivenMethod::Scales(scales.clone()),
        (ReplicateMethod::Fay, Some(rho), None) => GivenMethod::Fay { rho },
        (ReplicateMethod::Fay, None, None) => return Err(wrong("fay cần rho", "fay needs rho")),
        (_, Some(_), _) => return Err(wrong("rho chỉ dùng với fay", "rho is for fay only")),
        (ReplicateMethod::Jk1, ..) => GivenMethod::JackknifeUnstratified,
        (ReplicateMethod::Jk2, ..) => GivenMethod::JackknifePairs,
        (ReplicateMethod::Brr, ..) => GivenMethod::Balanced,
        (ReplicateMethod::Bootstrap, ..) => GivenMethod::Bootstrap,
        (ReplicateMethod::SuccessiveDifferences, ..) => GivenMethod::SuccessiveDifferences,
        (ReplicateMethod::Jkn, ..) => {
            return Err(wrong(
                "jkn với columns cần scales, mỗi lần lặp một hệ số",
                "jkn with columns needs scales, one for each replicate",
            ));
        }
    };
    if entry.replicates.is_some() || entry.seed.is_some() || entry.draws.is_some() || entry.pair_large_strata {
        return Err(wrong(
            "replicates, seed, draws và pair_large_strata không dùng cùng columns",
            "replicates, seed, draws and pair_large_strata do not go with columns",
        ));
    }
    let mut faults = Faults::default();
    let numbers = names
        .iter()
        .map(|name| data.required_numbers(name, &mut faults))
        .collect();
    let numbers = faults.or(numbers).map_err(Fault::Data)?;
    Replicates::given(
        &columns.weights,
        numbers,
        entry.combined.unwrap_or(true),
        &method,
        entry.degrees_of_freedom,
    )
    .map_err(|error| wrong(&error.vietnamese(), &error.to_string()))
}

/// Replicates made from the first stage.
fn made(
    entry: &ReplicatesEntry,
    single_units: SingleUnits,
    columns: &Columns,
    wrong: &impl Fn(&str, &str) -> Fault,
) -> Result<Replicates, Fault> {
    let Some(stage) = columns.stages.first() else {
        return Err(wrong("thiếu [[stage]]", "[[stage]] is missing"));
    };
    let first = first_stage(stage, columns).map_err(|error| refused(&error, stage, wrong))?;
    let lonely = match single_units {
        SingleUnits::Fail => LonelyPsu::Fail,
        SingleUnits::Certainty => LonelyPsu::Certainty,
        SingleUnits::Adjust => LonelyPsu::Adjust,
        SingleUnits::Average | SingleUnits::Collapse => {
            return Err(wrong(
                "trọng số lặp chỉ dùng được single_units fail, certainty hoặc adjust",
                "made replicates can only have single_units fail, certainty or adjust",
            ));
        }
    };
    let method = *entry.method.get_ref();
    let is_bootstrap = method == ReplicateMethod::Bootstrap;
    if !is_bootstrap && (entry.replicates.is_some() || entry.seed.is_some() || entry.draws.is_some()) {
        return Err(wrong(
            "replicates, seed và draws chỉ dùng với bootstrap",
            "replicates, seed and draws are for bootstrap only",
        ));
    }
    if method != ReplicateMethod::Fay && entry.rho.is_some() {
        return Err(wrong("rho chỉ dùng với fay", "rho is for fay only"));
    }
    if entry.degrees_of_freedom.is_some() {
        return Err(wrong(
            "degrees_of_freedom chỉ dùng cùng columns",
            "degrees_of_freedom needs columns",
        ));
    }
    let balanced = |fay_rho| BalancedSettings {
        fay_rho,
        large_strata: if entry.pair_large_strata {
            LargeStrata::Pair
        } else {
            LargeStrata::Refuse
        },
    };
    let weights = &columns.weights;
    let made = match method {
        ReplicateMethod::Jk1 if first.strata() > 1 => {
            return Err(wrong("mẫu có tầng; hãy dùng jkn", "the sample is stratified; use jkn"));
        }
        ReplicateMethod::Jk1 | ReplicateMethod::Jkn => Replicates::jackknife(weights, &first, lonely),
        ReplicateMethod::Brr => Replicates::balanced(weights, &first, &balanced(0.0)),
        ReplicateMethod::Fay => {
            let rho = entry.rho.ok_or_else(|| wrong("fay cần rho", "fay needs rho"))?;
            Replicates::balanced(weights, &first, &balanced(rho))
        }
        ReplicateMethod::Bootstrap => {
            let (Some(replicates), Some(seed)) = (entry.replicates, entry.seed) else {
                return Err(wrong(
                    "bootstrap cần replicates và seed",
                    "bootstrap needs replicates and seed",
                ));
            };
            let settings = BootstrapSettings {
                replicates,
                seed,
                draws: entry.draws,
                lonely,
            };
            Replicates::bootstrap(weights, &first, &settings)
        }
        ReplicateMethod::Jk2 | ReplicateMethod::SuccessiveDifferences => {
            return Err(wrong(
                "phương pháp này chỉ dùng cùng columns",
                "this method needs columns",
            ));
        }
    };
    made.map_err(|error| refused(&error, stage, wrong))
}

fn first_stage(stage: &Stage, columns: &Columns) -> Result<FirstStage, ReplicatesError> {
    let strata = stage.strata.as_ref().map(|strata| strata.column.entries.as_slice());
    let clusters: Vec<u32> = match &stage.clusters {
        None => (0..columns.weights.len() as u32).collect(),
        Some(clusters) if columns.labels == Labels::WithinStrata => {
            // A number for each pair of stratum and cluster.
            let pairs = strata
                .unwrap_or(&clusters.column.entries)
                .iter()
                .zip(&clusters.column.entries);
            let mut numbers = std::collections::BTreeMap::new();
            let pairs = pairs.map(|pair| {
                let next = numbers.len() as u32;
                *numbers.entry(pair).or_insert(next)
            });
            pairs.collect()
        }
        Some(clusters) => clusters.column.entries.clone(),
    };
    let population = stage
        .population
        .as_ref()
        .map(|population| population.entries.as_slice());
    FirstStage::new(&clusters, strata, population)
}

/// The error with the texts of strata.
fn refused(error: &ReplicatesError, stage: &Stage, wrong: &impl Fn(&str, &str) -> Fault) -> Fault {
    let label = |code: u32| stage.strata.as_ref().map_or("", |strata| strata.label(code)).to_owned();
    match *error {
        ReplicatesError::LonelyPsu { stratum } => {
            let stratum = label(stratum);
            wrong(
                &format!("tầng {stratum:?} chỉ có một cụm; hãy gộp với tầng khác hoặc đặt single_units"),
                &format!("stratum {stratum:?} has one cluster; join it with another or set single_units"),
            )
        }
        ReplicatesError::NotPaired { stratum, psus, pairing } => {
            let stratum = label(stratum);
            let (vi, en) = if pairing {
                (", hoặc một số chẵn để ghép đôi", ", or an even number to pair")
            } else {
                ("", "")
            };
            wrong(
                &format!("tầng {stratum:?} có {psus} cụm; nửa mẫu cần hai cụm{vi}"),
                &format!("stratum {stratum:?} has {psus} clusters; half-samples need two{en}"),
            )
        }
        ReplicatesError::Draws { stratum, draws, most } => {
            let stratum = label(stratum);
            wrong(
                &format!("draws là {draws}; tầng {stratum:?} cho phép từ 1 đến {most}"),
                &format!("draws is {draws}; stratum {stratum:?} allows from 1 to {most}"),
            )
        }
        ref other => wrong(&other.vietnamese(), &other.to_string()),
    }
}

/// The same replicates, each calibrated as the full weights are.
fn calibrated(
    replicates: Replicates,
    calibration: &Calibration,
    entry: &ReplicatesEntry,
    wrong: &impl Fn(&str, &str) -> Fault,
) -> Result<Replicates, Fault> {
    if replicates.rows().saturating_mul(replicates.count()) > MOST_WEIGHTS {
        return Err(wrong(
            "quá nhiều trọng số lặp để hiệu chỉnh cùng lúc; hãy giảm số lần lặp",
            "there are too many replicate weights to calibrate; take fewer replicates",
        ));
    }
    let full = calibration
        .calibrate(replicates.full_weights())
        .map_err(Fault::Design)?
        .weights;
    let mut weights = Vec::with_capacity(replicates.count());
    for replicate in 0..replicates.count() {
        let of_replicate = replicates.weights(replicate).unwrap_or_default();
        let calibrated = calibration.calibrate(&of_replicate).map_err(|failure: Failure| {
            let number = replicate + 1;
            Fault::Design(failure.prefixed(&format!("lần lặp {number}: "), &format!("replicate {number}: ")))
        })?;
        weights.push(calibrated.weights);
    }
    let scales = GivenMethod::Scales(replicates.scales().to_vec());
    let centre = match entry.centre {
        CentreEntry::ReplicateMean => Centre::ReplicateMean,
        CentreEntry::FullEstimate => Centre::FullEstimate,
    };
    Replicates::given(&full, weights, true, &scales, Some(replicates.degrees_of_freedom()))
        .map(|replicates| replicates.centred_at(centre))
        .map_err(|error| wrong(&error.vietnamese(), &error.to_string()))
}
