//! `khaosat sample draw`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicators::sampling::{Draw, InclusionProbability, Method, SecondStage, TwoStageDraw, stratified, two_stage};
use serde::Serialize;

use super::Failure;
use super::frame::{Frame, SizeColumn, read_frame};
use super::record::{FileRecord, Record, StratumRecord};
use super::sharing::stratum_sizes;
use crate::cli::bundle::write_new;
use crate::cli::{read_file, table_failure};

/// What to draw, and how.
///
/// The same frame, arguments and seed give the same sample, byte for byte, on every machine; the record says which they
/// were. Probabilities are exact: a fraction beside the decimal number.
#[derive(Debug, Args)]
pub(in crate::cli) struct DrawArguments {
    /// The frame: columns unit, stratum (optional) and size (for pps and for households)
    #[arg(value_name = "FRAME.csv")]
    frame: PathBuf,
    /// The sample to write, a new file
    #[arg(long, value_name = "FILE.csv")]
    output: PathBuf,
    /// The record to write beside it [default: the sample's name with the ending .record.json]
    #[arg(long, value_name = "FILE.json")]
    record: Option<PathBuf>,
    /// Units to draw, over all strata
    #[arg(long, value_name = "N", required_unless_present = "allocation")]
    pub(super) size: Option<u64>,
    /// How to draw within each stratum
    #[arg(long, value_name = "METHOD", default_value = "simple-random")]
    method: MethodName,
    /// How to share the sample out among strata [default: proportional]
    #[arg(long, value_name = "RULE")]
    allocation: Option<AllocationName>,
    /// What is known of the strata: columns stratum and, by the rule, standard_deviation, cost, importance,
    /// coefficient_of_variation or sample_size
    #[arg(long, value_name = "STRATA.csv")]
    pub(super) strata: Option<PathBuf>,
    /// Units of each stratum at least, or all where it has fewer; two are needed for a variance
    #[arg(long, value_name = "N", default_value = "2")]
    pub(super) minimum: u64,
    /// The exponent of a power allocation, from 0 to 1
    #[arg(long, value_name = "Q", default_value = "0.5")]
    pub(super) exponent: f64,
    /// What the interviews may cost, for the optimum allocation in place of a size
    #[arg(long, value_name = "COST", conflicts_with = "size")]
    pub(super) budget: Option<f64>,
    /// Draw so many households in each drawn unit; its size is its number of households
    #[arg(long, value_name = "N")]
    households: Option<u64>,
    /// How to draw households within a unit
    #[arg(
        long,
        value_name = "METHOD",
        default_value = "simple-random",
        requires = "households"
    )]
    second_stage: SecondStageName,
    /// What the sample is determined by [default: a random number, which the record keeps]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MethodName {
    /// Every set of units has the same chance
    SimpleRandom,
    /// At equal distances along the frame's order
    Systematic,
    /// Systematically, with probabilities proportional to size
    Pps,
}

/// How to draw households.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SecondStageName {
    /// Every set of households has the same chance
    SimpleRandom,
    /// At equal distances along the list
    Systematic,
}

/// How to share a sample out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AllocationName {
    /// By the number of units
    Proportional,
    /// By units and standard deviation (Neyman)
    Neyman,
    /// By units, standard deviation and cost
    Optimum,
    /// By importance to a power and coefficient of variation (Bankier)
    Power,
    /// As the strata's column sample_size says
    Given,
}

/// One drawn unit.
#[derive(Debug, Serialize)]
struct SampledRow<'a> {
    unit: &'a str,
    stratum: &'a str,
    size: u64,
    inclusion_probability: f64,
    inclusion_fraction: String,
    weight: f64,
    certainty: bool,
}

/// One drawn household.
#[derive(Debug, Serialize)]
struct HouseholdRow<'a> {
    unit: &'a str,
    stratum: &'a str,
    size: u64,
    /// Its number in the unit's list, from 1.
    household: u64,
    unit_probability: f64,
    inclusion_probability: f64,
    inclusion_fraction: String,
    weight: f64,
}

pub(super) fn run(arguments: &DrawArguments) -> Result<(), Failure> {
    let record_file = arguments
        .record
        .clone()
        .unwrap_or_else(|| arguments.output.with_extension("record.json"));
    // Both are told before anything is written.
    refuse_existing(&arguments.output)?;
    refuse_existing(&record_file)?;
    let frame_bytes = read_file(&arguments.frame)?;
    let frame =
        read_frame(&frame_bytes, arguments.size_column()).map_err(|error| table_failure(&arguments.frame, &error))?;
    let strata_bytes = arguments.strata.as_deref().map(read_file).transpose()?;
    let sizes = stratum_sizes(arguments, &frame, strata_bytes.as_deref())?;
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => getrandom::u64().map_err(|error| Failure::new(error.to_string(), error.to_string()))?,
    };
    let (sample, sampled_rows) = arguments.draw(&frame, &sizes.sample, seed)?;
    let units = frame.units_of_strata();
    let mut totals = vec![0; frame.strata.len()];
    for (stratum, size) in frame.stratum_of.iter().zip(&frame.sizes) {
        totals[*stratum] += size;
    }
    let record = Record {
        software: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        seed,
        generator: "ChaCha20",
        frame: FileRecord::of(&arguments.frame, &frame_bytes),
        strata_file: arguments
            .strata
            .as_deref()
            .zip(strata_bytes.as_deref())
            .map(|(file, bytes)| FileRecord::of(file, bytes)),
        method: arguments.method,
        allocation: arguments.rule(),
        minimum: arguments.minimum,
        exponent: (arguments.rule() == AllocationName::Power).then_some(arguments.exponent),
        budget: arguments.budget,
        households: arguments.households,
        second_stage: arguments.households.map(|_| arguments.second_stage),
        strata: (0..frame.strata.len())
            .map(|stratum| StratumRecord {
                stratum: &frame.strata[stratum],
                units: units[stratum],
                size: totals[stratum],
                share: sizes.shares.as_ref().map(|shares| shares[stratum]),
                sample: sizes.sample[stratum],
            })
            .collect(),
        sample: FileRecord::of(&arguments.output, &sample),
        sampled_rows,
    };
    let mut json =
        serde_json::to_vec_pretty(&record).map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    json.push(b'\n');
    write_new(&arguments.output, &sample)?;
    write_new(&record_file, &json)?;
    println!(
        "Đã rút {sampled_rows} dòng với hạt giống {seed}; biên bản: {record}. ({sampled_rows} rows drawn with seed {seed}; \
         record: {record})",
        record = record_file.display()
    );
    Ok(())
}

impl DrawArguments {
    /// How the sample is shared out.
    pub(super) fn rule(&self) -> AllocationName {
        self.allocation.unwrap_or(AllocationName::Proportional)
    }

    fn size_column(&self) -> SizeColumn {
        match self.method == MethodName::Pps || self.households.is_some() {
            true => SizeColumn::Needed,
            false => SizeColumn::Unread,
        }
    }

    /// The sample as CSV, and how many rows it has.
    fn draw(&self, frame: &Frame, sizes: &[u64], seed: u64) -> Result<(Vec<u8>, usize), Failure> {
        let method = match self.method {
            MethodName::SimpleRandom => Method::SimpleRandom,
            MethodName::Systematic => Method::Systematic,
            MethodName::Pps => Method::ProportionalToSize,
        };
        let sizes: Vec<usize> = sizes.iter().map(|size| *size as usize).collect();
        match self.households {
            None => {
                let draw = stratified(method, &frame.stratum_of, &frame.sizes, &sizes, seed)?;
                Ok((csv(unit_rows(frame, &draw))?, draw.selected.len()))
            }
            Some(households) => {
                let second = match self.second_stage {
                    SecondStageName::SimpleRandom => SecondStage::SimpleRandom,
                    SecondStageName::Systematic => SecondStage::Systematic,
                };
                let draw = two_stage(
                    method,
                    second,
                    &frame.stratum_of,
                    &frame.sizes,
                    &sizes,
                    households,
                    seed,
                )?;
                let rows = draw.hamlets.iter().map(|hamlet| hamlet.households.len()).sum();
                Ok((csv(household_rows(frame, &draw))?, rows))
            }
        }
    }
}

fn refuse_existing(file: &Path) -> Result<(), Failure> {
    match file.exists() {
        false => Ok(()),
        true => Err(Failure::new(
            format!("{} đã có; hãy đặt tên tệp khác để không mất mẫu cũ", file.display()),
            format!(
                "{} is there already; name another file, so that no sample is lost",
                file.display()
            ),
        )),
    }
}

fn unit_rows<'a>(frame: &'a Frame, draw: &'a Draw) -> impl Iterator<Item = SampledRow<'a>> {
    draw.selected.iter().map(move |unit| {
        let probability: InclusionProbability = draw.probabilities[*unit];
        SampledRow {
            unit: &frame.units[*unit],
            stratum: &frame.strata[frame.stratum_of[*unit]],
            size: frame.sizes[*unit],
            inclusion_probability: probability.value(),
            inclusion_fraction: probability.to_string(),
            weight: probability.weight(),
            certainty: probability.is_certain(),
        }
    })
}

fn household_rows<'a>(frame: &'a Frame, draw: &'a TwoStageDraw) -> impl Iterator<Item = HouseholdRow<'a>> {
    draw.hamlets.iter().flat_map(move |hamlet| {
        let unit = hamlet.position;
        hamlet.households.iter().map(move |household| HouseholdRow {
            unit: &frame.units[unit],
            stratum: &frame.strata[frame.stratum_of[unit]],
            size: frame.sizes[unit],
            household: household + 1,
            unit_probability: hamlet.hamlet_probability.value(),
            inclusion_probability: hamlet.household_probability.value(),
            inclusion_fraction: hamlet.household_probability.to_string(),
            weight: hamlet.household_probability.weight(),
        })
    })
}

fn csv<T: Serialize>(rows: impl Iterator<Item = T>) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(std::io::Error::from)?;
    }
    writer
        .into_inner()
        .map_err(|error| Failure::new(error.to_string(), error.to_string()))
}
