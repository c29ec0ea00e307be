//! Persons of a whole province as survey microdata: 172 strata (communes) with 6 sampled hamlets each, in 11 districts.

use indicators::survey::{DesignColumns, Labels, Selection, SingleUnits, StageColumns, SurveyDesign};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Persons of the province.
pub(crate) const PERSONS: usize = 1_800_000;
/// Communes, which are the strata.
pub(crate) const COMMUNES: u32 = 172;
/// Districts, to which communes belong by turns.
pub(crate) const DISTRICTS: u32 = 11;
/// Sampled hamlets of a commune.
pub(crate) const HAMLETS_OF_COMMUNE: u32 = 6;

/// The columns of the design, person by person. Codes of hamlets and households are unique.
#[derive(Default)]
pub(crate) struct Persons {
    pub(crate) weights: Vec<f64>,
    pub(crate) commune: Vec<u32>,
    pub(crate) hamlet: Vec<u32>,
    pub(crate) household: Vec<u32>,
    /// Hamlets of the commune in the population.
    pub(crate) hamlets: Vec<f64>,
    /// Households of the hamlet in the population.
    pub(crate) households: Vec<f64>,
}

impl Persons {
    /// So many persons, in households of 1 to 6.
    pub(crate) fn draw(count: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut persons = Persons::default();
        let per_hamlet = count / (COMMUNES * HAMLETS_OF_COMMUNE) as usize + 1;
        let mut household = 0;
        for hamlet in 0..COMMUNES * HAMLETS_OF_COMMUNE {
            let first = persons.weights.len();
            let first_household = household;
            while persons.weights.len() - first < per_hamlet && persons.weights.len() < count {
                household += 1;
                for _ in 0..random.random_range(1..=6_u32) {
                    persons.weights.push(2.5);
                    persons.commune.push(hamlet / HAMLETS_OF_COMMUNE);
                    persons.hamlet.push(hamlet);
                    persons.household.push(household);
                    persons.hamlets.push(f64::from(HAMLETS_OF_COMMUNE + 2));
                }
            }
            let size = f64::from(2 * (household - first_household) + 1);
            persons.households.resize(persons.weights.len(), size);
        }
        persons
    }

    pub(crate) fn rows(&self) -> usize {
        self.weights.len()
    }

    pub(crate) fn district(&self) -> Vec<u32> {
        self.commune.iter().map(|commune| commune % DISTRICTS).collect()
    }

    /// Two stages, both without replacement.
    pub(crate) fn design(&self) -> SurveyDesign {
        SurveyDesign::new(&DesignColumns {
            weights: &self.weights,
            stages: vec![
                StageColumns {
                    clusters: Some(&self.hamlet),
                    strata: Some(&self.commune),
                    selection: Selection::WithoutReplacement {
                        population: &self.hamlets,
                    },
                },
                StageColumns {
                    clusters: Some(&self.household),
                    strata: None,
                    selection: Selection::WithoutReplacement {
                        population: &self.households,
                    },
                },
            ],
            labels: Labels::Unique,
            single_units: SingleUnits::Adjust,
        })
        .expect("the design is sound")
    }

    /// Who is asked for an indicator, and who of them counts: columns of 0 and 1.
    pub(crate) fn indicator(&self, number: u64) -> Answers {
        let mut random = ChaCha8Rng::seed_from_u64(100 + number);
        let mut column = |share: f64| -> Vec<f64> {
            (0..self.rows())
                .map(|_| f64::from(u8::from(random.random_bool(share))))
                .collect()
        };
        let asked = column(0.8);
        let mut counted = column(0.4);
        for (counted, asked) in counted.iter_mut().zip(&asked) {
            *counted *= asked;
        }
        Answers { asked, counted }
    }
}

/// The columns of one indicator.
pub(crate) struct Answers {
    pub(crate) asked: Vec<f64>,
    pub(crate) counted: Vec<f64>,
}
