//! Estimates of all indicators for all units of a tree at once.

use super::estimate::Estimate;
use super::evaluation::Evaluation;
use super::ratio::{EstimationError, Indicator, Measure, Settings};
use crate::design::{List, Sample, UnitTree};

/// The estimates of every node and indicator of a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeEstimates {
    indicators: usize,
    estimates: Vec<Estimate>,
}

impl TreeEstimates {
    /// The estimate of one indicator for one node; `None` if either does not exist.
    pub fn get(&self, node: usize, indicator: usize) -> Option<&Estimate> {
        self.node(node).get(indicator)
    }

    /// The estimates of all indicators for one node; empty if it does not exist.
    pub fn node(&self, node: usize) -> &[Estimate] {
        let start = node.saturating_mul(self.indicators);
        self.estimates
            .get(start..start.saturating_add(self.indicators))
            .unwrap_or_default()
    }
}

/// Estimates all indicators (one measure each, in the order of the summaries) for all nodes of a tree made for the
/// sample's design.
///
/// Sums run over hamlets in the order of the design, so that equal summaries give estimates equal to the last bit,
/// whatever changes led to them; and each estimate is the one that [`super::ratio`] gives for the node's domain.
///
/// # Errors
/// [`EstimationError`] if there is not one measure per indicator, or the tree was made for another design.
pub fn evaluate_tree(
    sample: &Sample<'_>,
    tree: &UnitTree,
    measures: &[Measure],
    settings: &Settings,
) -> Result<TreeEstimates, EstimationError> {
    let (given, expected) = (measures.len(), sample.indicators());
    // A sample without hamlets does not know its number of indicators.
    if given != expected && !sample.design().psus().is_empty() {
        return Err(EstimationError::Length {
            list: List::Measures,
            given,
            expected,
        });
    }
    let mut evaluation = Evaluation::new(sample, settings);
    let mut estimates = Vec::with_capacity(tree.domains().len().saturating_mul(given));
    for domain in tree.domains() {
        for (index, &measure) in measures.iter().enumerate() {
            let sampled = if expected == 0 {
                Vec::new()
            } else {
                evaluation.sampled(domain, Indicator { index, measure })?
            };
            estimates.push(evaluation.estimate(domain, &sampled, measure));
        }
    }
    Ok(TreeEstimates {
        indicators: given,
        estimates,
    })
}
