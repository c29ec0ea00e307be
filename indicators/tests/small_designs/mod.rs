//! Short ways to write designs of a few rows.

use indicators::intervals::ConfidenceLevel;
use indicators::survey::{
    DesignColumns, EstimateSettings, Labels, Selection, SingleUnits, StageColumns, SurveyDesign, SurveyError,
};

/// The confidence level of all tests.
pub(crate) const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE_PERCENT;

pub(crate) fn stage<'a>(
    clusters: Option<&'a [u32]>,
    strata: Option<&'a [u32]>,
    selection: Selection<'a>,
) -> StageColumns<'a> {
    StageColumns {
        clusters,
        strata,
        selection,
    }
}

pub(crate) fn read(weights: &[f64], stages: Vec<StageColumns<'_>>) -> Result<SurveyDesign, SurveyError> {
    read_with(weights, stages, SingleUnits::Fail)
}

pub(crate) fn read_with(
    weights: &[f64],
    stages: Vec<StageColumns<'_>>,
    single_units: SingleUnits,
) -> Result<SurveyDesign, SurveyError> {
    SurveyDesign::new(&DesignColumns {
        weights,
        stages,
        labels: Labels::Unique,
        single_units,
    })
}

pub(crate) fn settings(is_proportion: bool) -> EstimateSettings {
    EstimateSettings {
        level: LEVEL,
        is_proportion,
        method: None,
    }
}
