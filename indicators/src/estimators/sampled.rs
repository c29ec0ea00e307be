//! What a domain's estimate rests on, gathered from its sampled hamlets one by one.

use super::evaluation::{DomainCounts, DomainSums, Totals};
use crate::design::{Domain, Sample, SampledPsu};
use crate::variance::LonelyPsu;
use crate::variance::linearization::{FirstStage, LonelyUnit, residual_squares, two_stage, weight};

/// The sampled hamlets of a domain, in the design's order, with the sums of one indicator.
pub(crate) struct SampledHamlets<'a> {
    sample: &'a Sample<'a>,
    psus: &'a [SampledPsu],
    first_stage: FirstStage,
    unrepresented_strata: u64,
    lonely: LonelyPsu,
}

/// Whether all hamlets of a domain have responses, so that nothing was drawn at the first stage.
pub(crate) fn first_stage_of(domain: &Domain, sampled: u64) -> FirstStage {
    if domain.population_psus() == Some(sampled) {
        FirstStage::Enumerated
    } else {
        FirstStage::Sampled
    }
}

impl<'a> SampledHamlets<'a> {
    pub(crate) fn new(sample: &'a Sample<'a>, domain: &Domain, psus: &'a [SampledPsu], lonely: LonelyPsu) -> Self {
        SampledHamlets {
            sample,
            psus,
            first_stage: first_stage_of(domain, psus.len() as u64),
            unrepresented_strata: sample.unrepresented_strata(domain),
            lonely,
        }
    }
}

impl DomainSums for SampledHamlets<'_> {
    fn counts(&self) -> DomainCounts {
        DomainCounts {
            first_stage: self.first_stage,
            psus: self.psus.len() as u64,
            strata: self.psus.chunk_by(|one, next| one.stratum == next.stratum).count() as u64,
            households: self.psus.iter().map(|psu| psu.households as u64).sum(),
            incomplete_psus: self
                .psus
                .iter()
                .filter(|psu| psu.households < psu.frame_households)
                .count() as u64,
            unrepresented_strata: self.unrepresented_strata,
        }
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for psu in self.psus {
            let weight = weight(self.sample, psu, self.first_stage);
            let with_denominator = psu.sums.households_with_denominator;
            totals.households_with_denominator += with_denominator;
            totals.numerator_observed += psu.sums.numerator;
            totals.denominator_observed += psu.sums.denominator;
            totals.numerator += weight * psu.sums.numerator;
            totals.denominator += weight * psu.sums.denominator;
            totals.households += weight * psu.households;
            totals.weights += weight * with_denominator as f64;
            totals.squared_weights += weight * weight * with_denominator as f64;
        }
        totals
    }

    fn residual_variance(&self, ratio: f64) -> Result<f64, LonelyUnit> {
        two_stage(self.sample, self.psus, ratio, self.first_stage, self.lonely)
    }

    fn residual_squares(&self, ratio: f64) -> f64 {
        self.psus
            .iter()
            .map(|psu| weight(self.sample, psu, self.first_stage) * residual_squares(&psu.sums, ratio))
            .sum()
    }
}
