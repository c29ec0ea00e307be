//! How much is visited, and one sample of it.

use super::population::{Counted, Population};
use indicators::sampling::{AllocationRule, Method, SecondStage, SelectedHamlet, allocate, two_stage};
use indicators::survey::{DesignColumns, Labels, Selection, SingleUnits, StageColumns, SurveyDesign};

/// How much is visited. Strata are the districts; hamlets, and then households, by simple random sampling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Campaign {
    /// In all strata together: in proportion to their hamlets, two at least of each.
    pub(crate) hamlets: u64,
    /// In each of these.
    pub(crate) households: u64,
}

impl Campaign {
    /// Number of hamlets to visit in each stratum.
    pub(crate) fn allocation(&self, population: &Population) -> Vec<usize> {
        let frame: Vec<u64> = population
            .hamlets_of_districts()
            .into_iter()
            .map(|count| count as u64)
            .collect();
        allocate(&frame, AllocationRule::Proportional, self.hamlets, 2)
            .expect("the frame has as many hamlets")
            .sizes
            .into_iter()
            .map(|count| count as usize)
            .collect()
    }

    /// The sample that the seed gives.
    pub(crate) fn draw(&self, population: &Population, allocation: &[usize], seed: u64) -> Vec<SelectedHamlet> {
        let strata: Vec<usize> = population.hamlets.iter().map(|hamlet| hamlet.district).collect();
        let households: Vec<u64> = population
            .hamlets
            .iter()
            .map(|hamlet| hamlet.households.len() as u64)
            .collect();
        let (first, second) = (Method::SimpleRandom, SecondStage::SimpleRandom);
        two_stage(first, second, &strata, &households, allocation, self.households, seed)
            .expect("the frame has as many hamlets and households")
            .hamlets
    }
}

/// The rows of a sample as an analyst has them: one for each person or each household.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// The household of each row, by its hamlet and its place there.
    pub(crate) household: Vec<(usize, usize)>,
    /// Which person of the household a row is, from 0; 0 for the household itself.
    pub(crate) member: Vec<u32>,
    pub(crate) district: Vec<u32>,
    weights: Vec<f64>,
    hamlet_code: Vec<u32>,
    household_code: Vec<u32>,
    frame_hamlets: Vec<f64>,
    frame_households: Vec<f64>,
}

impl Rows {
    /// The rows for indicators that count persons, or households.
    pub(crate) fn of(
        population: &Population,
        sample: &[SelectedHamlet],
        allocation: &[usize],
        counted: Counted,
    ) -> Self {
        let frame = population.hamlets_of_districts();
        let mut rows = Rows::default();
        for selected in sample {
            let hamlet = &population.hamlets[selected.position];
            let frame_hamlets = frame[hamlet.district] as f64;
            let frame_households = hamlet.households.len() as f64;
            let weight = frame_hamlets / allocation[hamlet.district] as f64 * frame_households
                / selected.households.len() as f64;
            for &place in &selected.households {
                let place = place as usize;
                for member in 0..hamlet.households[place].denominator(counted) {
                    rows.household.push((selected.position, place));
                    rows.member.push(member);
                    rows.district.push(hamlet.district as u32);
                    rows.weights.push(weight);
                    rows.hamlet_code.push(selected.position as u32);
                    rows.household_code.push(place as u32);
                    rows.frame_hamlets.push(frame_hamlets);
                    rows.frame_households.push(frame_households);
                }
            }
        }
        rows
    }

    /// The design of these rows.
    pub(crate) fn design(&self) -> SurveyDesign {
        let stage = |clusters, strata, population| StageColumns {
            clusters: Some(clusters),
            strata,
            selection: Selection::WithoutReplacement { population },
        };
        SurveyDesign::new(&DesignColumns {
            weights: &self.weights,
            stages: vec![
                stage(
                    self.hamlet_code.as_slice(),
                    Some(&self.district),
                    self.frame_hamlets.as_slice(),
                ),
                stage(self.household_code.as_slice(), None, self.frame_households.as_slice()),
            ],
            labels: Labels::Unique,
            single_units: SingleUnits::Adjust,
        })
        .expect("the sample was drawn by this design")
    }
}
