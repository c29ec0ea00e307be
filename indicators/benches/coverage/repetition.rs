//! The estimates of one sample by every way.

use super::campaign::{Campaign, Rows};
use super::interval::Way;
use super::population::{Counted, Population};
use super::tally::Tally;
use indicators::design::{Design, Domain, Psu, Sample, Stratum};
use indicators::estimators::{Indicator, Measure, Settings, ratio};
use indicators::intervals::ConfidenceLevel;
use indicators::sampling::SelectedHamlet;
use indicators::summary::{Contribution, PsuSummary};
use indicators::survey::{
    EstimateSettings, Partition, PartitionRatio, SurveyEstimate, Values, VarianceEstimator, partition_ratios,
};

const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE_PERCENT;
/// The live path and the general path estimate the same; beyond this they differ by more than rounding.
const AGREEMENT: f64 = 1e-9;

/// The tallies of an attribute: in the province, then in each district.
pub(crate) type Tallies = Vec<Tally>;

/// What repetitions of a campaign share.
pub(crate) struct Study<'a> {
    population: &'a Population,
    campaign: Campaign,
    allocation: Vec<usize>,
    /// The whole frame, as the live path has it.
    frame: Design,
    /// The province, then each district.
    domains: Vec<Domain>,
}

impl<'a> Study<'a> {
    pub(crate) fn new(population: &'a Population, campaign: Campaign) -> Self {
        let strata = population
            .hamlets_of_districts()
            .into_iter()
            .map(|psus| Stratum { psus: psus as u64 })
            .collect();
        let psus = population.hamlets.iter().map(|hamlet| Psu {
            stratum: hamlet.district,
            households: hamlet.households.len() as u64,
        });
        let frame = Design::new(strata, psus.collect()).expect("the frame fits itself");
        let mut domains = vec![Domain::whole(&frame)];
        for district in 0..population.district_count() {
            let inside = |hamlet: usize| population.hamlets[hamlet].district == district;
            domains.push(Domain::from_predicate(&frame, &inside, None).expect("the hamlets are of the frame"));
        }
        Study {
            allocation: campaign.allocation(population),
            population,
            campaign,
            frame,
            domains,
        }
    }

    /// Number of hamlets visited in each district.
    pub(crate) fn allocation(&self) -> &[usize] {
        &self.allocation
    }

    /// Empty tallies of all attributes.
    pub(crate) fn tallies(&self) -> Vec<Tallies> {
        vec![vec![Tally::default(); self.domains.len()]; self.population.attributes.len()]
    }

    /// Draws the sample of this seed and counts its estimates.
    pub(crate) fn repeat(&self, seed: u64, tallies: &mut [Tallies]) {
        let sample = self.campaign.draw(self.population, &self.allocation, seed);
        let summaries = self.summaries(&sample);
        let live = Sample::new(&self.frame, &summaries).expect("no hamlet has more responses than households");
        for counted in Counted::ALL {
            let rows = Rows::of(self.population, &sample, &self.allocation, counted);
            for (attribute, of_domains) in self.general(&rows, counted) {
                for (domain, estimate) in of_domains.iter().enumerate() {
                    let indicator = Indicator {
                        index: attribute,
                        measure: Measure::Proportion,
                    };
                    let live = ratio(&live, &self.domains[domain], indicator, &Settings::default())
                        .expect("the domain is of the frame");
                    let truth = self.truth(attribute, domain);
                    let tally = &mut tallies[attribute][domain];
                    tally.add_intervals(
                        Way::ALL.map(|way| match way {
                            Way::Live => live.interval.map(|interval| (interval.lower, interval.upper)),
                            _ => way.of_survey(estimate, LEVEL),
                        }),
                        truth,
                    );
                    if let (Some(point), Some(error)) = (estimate.point, estimate.standard_error) {
                        tally.add_error(point, error, truth);
                        check_agreement((point, error), (live.point, live.standard_error));
                    }
                }
            }
        }
    }

    fn truth(&self, attribute: usize, domain: usize) -> f64 {
        match domain.checked_sub(1) {
            None => self.population.province[attribute],
            Some(district) => self.population.districts[district][attribute],
        }
    }

    /// The sums of each hamlet of the frame.
    fn summaries(&self, sample: &[SelectedHamlet]) -> Vec<PsuSummary> {
        let attributes = &self.population.attributes;
        let mut summaries = vec![PsuSummary::new(attributes.len()); self.population.hamlets.len()];
        for selected in sample {
            for &place in &selected.households {
                let household = &self.population.hamlets[selected.position].households[place as usize];
                let contributions: Vec<Contribution> = attributes
                    .iter()
                    .zip(&household.numerators)
                    .map(|(attribute, &numerator)| Contribution {
                        numerator: f64::from(numerator),
                        denominator: f64::from(household.denominator(attribute.counted)),
                    })
                    .collect();
                summaries[selected.position]
                    .add(&contributions)
                    .expect("counts are usable");
            }
        }
        summaries
    }

    /// The general path's estimates of each attribute of a kind: of the province, then of each district.
    fn general(&self, rows: &Rows, counted: Counted) -> Vec<(usize, Vec<SurveyEstimate>)> {
        let design = rows.design();
        let estimator = VarianceEstimator::new(&design);
        let everyone = vec![0; rows.district.len()];
        let province = Partition::new(&design, &everyone, 1).expect("every row is in the province");
        let districts = Partition::new(&design, &rows.district, self.population.district_count())
            .expect("every row is in a district");
        let settings = EstimateSettings {
            level: LEVEL,
            is_proportion: true,
            method: None,
        };
        let ones = vec![1.0; rows.district.len()];
        let attributes = self.population.attributes.iter().enumerate();
        attributes
            .filter(|(_, attribute)| attribute.counted == counted)
            .map(|(index, _)| {
                // The first so many persons of a household have the attribute: which ones makes no difference, since
                // everybody of a household is asked.
                let has: Vec<f64> = rows
                    .household
                    .iter()
                    .zip(&rows.member)
                    .map(|(&(hamlet, place), &member)| {
                        let household = &self.population.hamlets[hamlet].households[place];
                        f64::from(u8::from(member < u32::from(household.numerators[index])))
                    })
                    .collect();
                let of = PartitionRatio {
                    numerator: Values::new("has", &has),
                    denominator: Values::new("all", &ones),
                };
                let estimates = [&province, &districts].map(|partition| {
                    partition_ratios(&estimator, partition, &of, &settings).expect("values are finite")
                });
                (index, estimates.concat())
            })
            .collect()
    }
}

/// Both paths must be estimating the same, or a comparison of their intervals means nothing.
fn check_agreement((point, error): (f64, f64), (live_point, live_error): (Option<f64>, Option<f64>)) {
    let (Some(live_point), Some(live_error)) = (live_point, live_error) else {
        return;
    };
    assert!((point - live_point).abs() <= AGREEMENT, "{point} and {live_point}");
    assert!((error - live_error).abs() <= AGREEMENT, "{error} and {live_error}");
}
