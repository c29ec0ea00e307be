//! Withholding what rests on too little, by the rules of the design.

use std::collections::BTreeSet;

use indicators::publication::PublicationRules;
use indicators::survey::SurveyEstimate;

use super::design::Design;
use super::grouping::Grouping;
use super::report::EstimateView;
use super::variables::Variables;
use crate::cli::Failure;
use crate::cli::microdata::Data;
use crate::http::Text;

/// The rules, with who counts as a respondent.
pub(super) struct Publication {
    rules: PublicationRules,
    /// The respondent of each row, such as its household; none where each row is one.
    respondents: Option<Vec<Option<u32>>>,
}

impl Publication {
    /// Reads the rules; `None` where the design has none.
    ///
    /// # Errors
    /// A [`Failure`] that names the line of a rule that is none.
    pub(super) fn read(design: &Design, data: &Data) -> Result<Option<Self>, Failure> {
        let Some(entry) = &design.entries.publication else {
            return Ok(None);
        };
        let mut rules = PublicationRules {
            maximum_coefficient_of_variation: None,
            ..PublicationRules::default()
        };
        if let Some(minimum) = entry.minimum_respondents {
            rules.minimum_households = minimum;
        }
        if let Some(maximum) = &entry.maximum_coefficient_of_variation {
            let value = *maximum.get_ref();
            if !(value > 0.0 && value.is_finite()) {
                let problem = Text::new(
                    "maximum_coefficient_of_variation phải là số lớn hơn 0, ví dụ 0.333",
                    "maximum_coefficient_of_variation must be a number above 0, such as 0.333",
                );
                return Err(design.failure(maximum, &problem));
            }
            rules.maximum_coefficient_of_variation = Some(value);
        }
        Ok(Some(Self {
            rules,
            respondents: entry
                .respondent
                .as_ref()
                .map(|column| data.codes(column.get_ref()).codes),
        }))
    }

    /// Respondents with all values, in each domain of a grouping. A row whose respondent is missing is one of its own.
    pub(super) fn respondents(&self, variables: &Variables, weights: &[f64], grouping: &Grouping) -> Vec<u64> {
        let mut alone = vec![0_u64; grouping.labels.len()];
        let mut together: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); grouping.labels.len()];
        for (row, domain) in grouping.codes.iter().enumerate() {
            let domain = *domain as usize;
            if !variables.complete[row] || weights[row] <= 0.0 || domain >= alone.len() {
                continue;
            }
            match self.respondents.as_ref().and_then(|respondents| respondents[row]) {
                Some(respondent) => drop(together[domain].insert(respondent)),
                None => alone[domain] += 1,
            }
        }
        alone
            .iter()
            .zip(together)
            .map(|(alone, together)| alone + together.len() as u64)
            .collect()
    }

    /// Takes the figures out of estimates that rest on too little, and says why.
    pub(super) fn apply(&self, estimates: &mut [EstimateView]) {
        for view in estimates {
            // Of an area that nobody was interviewed in, only the model speaks.
            if view.respondents == 0 && view.modelled.is_some() {
                continue;
            }
            let estimate = &view.estimate;
            let withheld = self
                .rules
                .withheld_figure(view.respondents, estimate.point, estimate.standard_error);
            view.withheld = withheld.map(Into::into);
            if view.withheld.is_some() {
                view.estimate = without_figures(&view.estimate);
                view.target = None;
                view.imputation = None;
                if let Some(modelled) = &mut view.modelled {
                    // With these, the direct estimate could be worked out.
                    modelled.direct_weight = None;
                    modelled.synthetic = None;
                    modelled.before_benchmark = None;
                    modelled.sampling_variance = None;
                    modelled.standardised_residual = None;
                }
            }
        }
    }
}

fn without_figures(estimate: &SurveyEstimate) -> SurveyEstimate {
    SurveyEstimate {
        point: None,
        standard_error: None,
        interval: None,
        choice: None,
        design_effect: None,
        design_effect_with_replacement: None,
        ..estimate.clone()
    }
}
