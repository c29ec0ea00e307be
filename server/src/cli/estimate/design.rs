//! DESIGN.toml: how the rows of the data were sampled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicators::intervals::ConfidenceLevel;
use indicators::small_areas::{Benchmark, VarianceMethod};
use indicators::survey::{Labels, PairForm, ProportionMethod, QuantileInterval, SingleUnits};
use serde::Deserialize;
use toml::Spanned;

use crate::cli::microdata::Data;
use crate::cli::{Failure, read_file};
use crate::http::Text;

/// The file's text with what it says.
#[derive(Debug)]
pub(super) struct Design {
    text: String,
    pub(super) entries: Entries,
    pub(super) level: ConfidenceLevel,
}

/// The keys of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entries {
    /// Column of the weights.
    pub(super) weights: Spanned<String>,
    /// Stages of sampling, the first one first.
    #[serde(default)]
    pub(super) stage: Vec<StageEntry>,
    #[serde(default)]
    pub(super) cluster_codes: Labels,
    #[serde(default)]
    pub(super) single_units: SingleUnits,
    #[serde(default)]
    pub(super) variance_stages: VarianceStages,
    confidence: Option<Spanned<f64>>,
    pub(super) interval: Option<ProportionMethod>,
    #[serde(default)]
    pub(super) quantile_interval: QuantileInterval,
    #[serde(default)]
    pub(super) missing: Missing,
    pub(super) replicates: Option<ReplicatesEntry>,
    pub(super) calibration: Option<CalibrationEntry>,
    pub(super) small_areas: Option<SmallAreasEntry>,
    pub(super) publication: Option<PublicationEntry>,
    pub(super) hot_deck: Option<HotDeckEntry>,
}

/// Which stages enter the variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum VarianceStages {
    #[default]
    All,
    First,
}

/// What to do with rows that lack a value that an indicator needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Missing {
    /// Leave them out and say how many they are.
    #[default]
    CompleteCase,
    /// Estimate nothing.
    Refuse,
}

/// A stage of sampling: columns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageEntry {
    pub(super) cluster: Option<Spanned<String>>,
    pub(super) stratum: Option<Spanned<String>>,
    pub(super) population: Option<Spanned<String>>,
    pub(super) probability: Option<Spanned<String>>,
    pub(super) joint: Option<Spanned<JointMethod>>,
    pub(super) form: Option<Spanned<PairForm>>,
    pub(super) mean_probability: Option<Spanned<String>>,
}

/// What stands for joint inclusion probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JointMethod {
    Brewer,
    Overton,
    HartleyRao,
}

/// Replicate weights: columns of the data, or made from the first stage.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplicatesEntry {
    pub(super) method: Spanned<ReplicateMethod>,
    /// Names of columns; one that ends in * stands for all that begin so.
    pub(super) columns: Option<Vec<Spanned<String>>>,
    /// Whether the columns are weights rather than multipliers of them.
    pub(super) combined: Option<bool>,
    pub(super) rho: Option<f64>,
    pub(super) replicates: Option<usize>,
    pub(super) seed: Option<u64>,
    pub(super) draws: Option<u32>,
    #[serde(default)]
    pub(super) pair_large_strata: bool,
    pub(super) scales: Option<Vec<f64>>,
    pub(super) degrees_of_freedom: Option<usize>,
    #[serde(default)]
    pub(super) centre: CentreEntry,
}

/// How replicates are, or were, made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReplicateMethod {
    Jk1,
    Jk2,
    Jkn,
    Brr,
    Fay,
    Bootstrap,
    SuccessiveDifferences,
}

/// What replicate estimates are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CentreEntry {
    #[default]
    ReplicateMean,
    FullEstimate,
}

/// Calibration of the weights.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalibrationEntry {
    pub(super) method: Spanned<CalibrationMethod>,
    pub(super) lower: Option<f64>,
    pub(super) upper: Option<f64>,
    /// The number of elements of the population.
    pub(super) population: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) margin: Vec<MarginEntry>,
}

/// How weights are calibrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CalibrationMethod {
    Linear,
    Raking,
    Logit,
    PostStrata,
}

/// A variable whose totals are known: of each category, or of a column of numbers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarginEntry {
    pub(super) column: Spanned<String>,
    /// Totals by category.
    pub(super) totals: Option<BTreeMap<String, f64>>,
    /// CSV file with columns `category` and `total`, beside the TOML file.
    pub(super) file: Option<PathBuf>,
    /// The total of a column of numbers.
    pub(super) total: Option<f64>,
}

/// Modelled estimates of areas with few interviews or none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SmallAreasEntry {
    /// Column of the data whose values are the areas; one of `--by`.
    pub(super) column: Spanned<String>,
    /// CSV file with a row for each area of the population, beside the TOML file.
    pub(super) file: Spanned<PathBuf>,
    /// The file's column of the areas' codes; of the same name as the data's, if left out.
    pub(super) area: Option<String>,
    /// Columns of the file that the indicators follow.
    pub(super) covariates: Vec<String>,
    /// Column of the file with each area's part of the whole.
    pub(super) population: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) method: VarianceMethod,
    pub(super) benchmark: Option<Spanned<Benchmark>>,
    #[serde(default)]
    pub(super) smoothing: Smoothing,
}

/// Where the sampling variances of the areas come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Smoothing {
    /// From the design, area by area.
    #[default]
    None,
    /// Of proportions, from one design effect of all areas.
    DesignEffect,
}

/// What may be shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublicationEntry {
    pub(super) minimum_respondents: Option<u64>,
    /// Column of the code of the respondent, where several rows are of one.
    pub(super) respondent: Option<Spanned<String>>,
    pub(super) maximum_coefficient_of_variation: Option<Spanned<f64>>,
}

/// Gaps filled from other rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HotDeckEntry {
    /// Columns whose values together make the classes that answers are taken within.
    pub(super) classes: Vec<Spanned<String>>,
    pub(super) imputations: Spanned<usize>,
    pub(super) seed: u64,
}

impl Design {
    /// A failure that names the line of a key or value.
    pub(super) fn failure<T>(&self, at: &Spanned<T>, problem: &Text) -> Failure {
        let line = line_of(&self.text, at.span().start);
        Failure::new(
            format!("dòng {line}: {}", problem.vi),
            format!("line {line}: {}", problem.en),
        )
    }
}

fn line_of(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|&byte| byte == b'\n').count() + 1
}

/// Reads a design; its columns are not looked up yet.
///
/// # Errors
/// A [`Failure`] that names line and key.
pub(super) fn read(file: &Path) -> Result<Design, Failure> {
    let text = String::from_utf8(read_file(file)?)
        .map_err(|_| Failure::new("tệp không phải UTF-8", "the file is not UTF-8"))?;
    let entries: Entries = toml::from_str(&text).map_err(|error| {
        Failure::new(
            format!("thiết kế không đọc được: {error}"),
            format!("this is no design: {error}"),
        )
    })?;
    let level = match &entries.confidence {
        None => Ok(ConfidenceLevel::NINETY_FIVE_PERCENT),
        Some(level) => ConfidenceLevel::new(*level.get_ref()).map_err(|_| level.span().start),
    };
    let level = level.map_err(|place| {
        let line = line_of(&text, place);
        Failure::new(
            format!("dòng {line}: confidence phải lớn hơn 0 và nhỏ hơn 1, ví dụ 0.95"),
            format!("line {line}: confidence must be above 0 and below 1, such as 0.95"),
        )
    })?;
    let design = Design { text, entries, level };
    check_stages(&design)?;
    Ok(design)
}

/// Keys of stages that do not go together.
fn check_stages(design: &Design) -> Result<(), Failure> {
    for (position, stage) in design.entries.stage.iter().enumerate() {
        if let (Some(population), Some(_)) = (&stage.population, &stage.probability) {
            let problem = Text::new(
                "một bước chỉ có population hoặc probability, không có cả hai",
                "a stage has population or probability, not both",
            );
            return Err(design.failure(population, &problem));
        }
        let needs_probability = Text::new(
            "joint, form và mean_probability chỉ dùng cùng probability",
            "joint, form and mean_probability need probability",
        );
        if stage.probability.is_none() {
            if let Some(joint) = &stage.joint {
                return Err(design.failure(joint, &needs_probability));
            }
            if let Some(form) = &stage.form {
                return Err(design.failure(form, &needs_probability));
            }
        }
        let joint = stage.joint.as_ref().map(|joint| *joint.get_ref());
        if let Some(mean) = &stage.mean_probability
            && joint != Some(JointMethod::HartleyRao)
        {
            let problem = Text::new(
                "mean_probability chỉ dùng với joint = \"hartley_rao\"",
                "mean_probability needs joint = \"hartley_rao\"",
            );
            return Err(design.failure(mean, &problem));
        }
        if let Some(form) = &stage.form
            && matches!(joint, None | Some(JointMethod::Brewer))
        {
            let problem = Text::new(
                "form chỉ dùng với joint = \"overton\" hoặc \"hartley_rao\"",
                "form needs joint = \"overton\" or \"hartley_rao\"",
            );
            return Err(design.failure(form, &problem));
        }
        if let Some(joint) = &stage.joint
            && position > 0
            && *joint.get_ref() != JointMethod::Brewer
        {
            let problem = Text::new(
                "các bước sau bước đầu chỉ dùng được joint = \"brewer\"",
                "stages after the first can only have joint = \"brewer\"",
            );
            return Err(design.failure(joint, &problem));
        }
    }
    Ok(())
}

/// Looks up the columns that a design names.
///
/// # Errors
/// A [`Failure`] that names the line, the key and, if one is near, the column that was probably meant.
pub(super) fn check_columns(design: &Design, data: &Data) -> Result<(), Failure> {
    let entries = &design.entries;
    let mut named = vec![("weights", &entries.weights)];
    for stage in &entries.stage {
        let keys = [
            ("cluster", &stage.cluster),
            ("stratum", &stage.stratum),
            ("population", &stage.population),
            ("probability", &stage.probability),
            ("mean_probability", &stage.mean_probability),
        ];
        named.extend(keys.into_iter().filter_map(|(key, name)| Some((key, name.as_ref()?))));
    }
    let margins = entries.calibration.iter().flat_map(|calibration| &calibration.margin);
    named.extend(margins.map(|margin| ("column", &margin.column)));
    named.extend(entries.small_areas.iter().map(|areas| ("column", &areas.column)));
    let publication = entries.publication.iter();
    named.extend(publication.filter_map(|rules| Some(("respondent", rules.respondent.as_ref()?))));
    let classes = entries.hot_deck.iter().flat_map(|deck| &deck.classes);
    named.extend(classes.map(|column| ("classes", column)));
    let replicates = entries
        .replicates
        .iter()
        .filter_map(|replicates| replicates.columns.as_ref());
    let whole = replicates.flatten().filter(|name| !name.get_ref().ends_with('*'));
    named.extend(whole.map(|name| ("columns", name)));
    for (key, name) in named {
        if !data.has(name.get_ref()) {
            let unknown = data.unknown(name.get_ref());
            let problem = Text::new(format!("{key}: {}", unknown.vi), format!("{key}: {}", unknown.en));
            return Err(design.failure(name, &problem));
        }
    }
    Ok(())
}
