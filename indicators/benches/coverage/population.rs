//! A fixed synthetic population of the size of Tiền Giang, of which everything is known.
//!
//! Districts, their communes and their persons are real (`server/reference/README.md` says where the counts are from). Hamlets,
//! households and attributes are made, since no counts below the district are official.

use indicators::intervals::beta_quantile;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Communes of 1 October 2022 and persons of the census of 1 April 2019, district by district. The last two share what
/// the other nine leave of the province.
const DISTRICTS: [(&str, u32, u32); 11] = [
    ("Mỹ Tho", 17, 228_109),
    ("Gò Công", 12, 99_657),
    ("Cai Lậy (thị xã)", 16, 125_615),
    ("Cái Bè", 25, 292_738),
    ("Cai Lậy (huyện)", 16, 193_328),
    ("Châu Thành", 23, 263_426),
    ("Chợ Gạo", 19, 187_711),
    ("Gò Công Tây", 13, 127_132),
    ("Gò Công Đông", 13, 139_060),
    ("Tân Phước", 12, 53_705),
    ("Tân Phú Đông", 6, 53_704),
];

/// Hamlets of a commune.
const HAMLETS_OF_COMMUNE: std::ops::RangeInclusive<u32> = 4..=8;
/// How many in a hundred households have 1, 2, … 8 persons: 3.5 on average.
const HOUSEHOLD_SIZES: [u32; 8] = [9, 18, 24, 26, 13, 6, 3, 1];
/// Persons of an average household.
const PERSONS_PER_HOUSEHOLD: f64 = 3.5;
/// Intraclass correlation of the persons of a household, beyond that of their hamlet.
const WITHIN_HOUSEHOLD: f64 = 0.3;

/// Prevalences in percent.
pub(crate) const PREVALENCES: [u32; 7] = [5, 10, 20, 50, 80, 90, 95];
/// Intraclass correlations within hamlets.
pub(crate) const CORRELATIONS: [f64; 2] = [0.02, 0.10];

/// What an indicator counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Persons with an attribute among all persons: a ratio of two counts of the household.
    Persons,
    /// Households with an attribute among all households.
    Households,
}

impl Counted {
    pub(crate) const ALL: [Counted; 2] = [Counted::Persons, Counted::Households];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Counted::Persons => "persons within households (ratio)",
            Counted::Households => "households (proportion)",
        }
    }
}

/// An indicator of the study.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute {
    pub(crate) counted: Counted,
    /// In percent; that of the population differs a little, since it was drawn.
    pub(crate) prevalence: u32,
    pub(crate) correlation: f64,
}

/// One household.
#[derive(Debug, Clone)]
pub(crate) struct Household {
    pub(crate) persons: u32,
    /// y of each attribute.
    pub(crate) numerators: Vec<u8>,
}

impl Household {
    /// x of an attribute.
    pub(crate) fn denominator(&self, counted: Counted) -> u32 {
        match counted {
            Counted::Persons => self.persons,
            Counted::Households => 1,
        }
    }
}

/// One hamlet, with all its households.
#[derive(Debug)]
pub(crate) struct Hamlet {
    pub(crate) district: usize,
    pub(crate) households: Vec<Household>,
}

/// The population.
#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) hamlets: Vec<Hamlet>,
    /// Σy / Σx of each attribute in the province.
    pub(crate) province: Vec<f64>,
    /// The same in each district.
    pub(crate) districts: Vec<Vec<f64>>,
}

impl Population {
    /// The population that the seed gives.
    pub(crate) fn make(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let attributes: Vec<Attribute> = Counted::ALL
            .into_iter()
            .flat_map(|counted| CORRELATIONS.map(|correlation| (counted, correlation)))
            .flat_map(|(counted, correlation)| {
                PREVALENCES.map(|prevalence| Attribute {
                    counted,
                    prevalence,
                    correlation,
                })
            })
            .collect();
        let mut hamlets = Vec::new();
        for (district, &(_, communes, persons)) in DISTRICTS.iter().enumerate() {
            let count: u32 = (0..communes).map(|_| random.random_range(HAMLETS_OF_COMMUNE)).sum();
            let shares: Vec<f64> = (0..count).map(|_| random.random_range(0.5..1.5)).collect();
            let all: f64 = shares.iter().sum();
            for share in shares {
                let households = f64::from(persons) / PERSONS_PER_HOUSEHOLD * share / all;
                hamlets.push(Hamlet {
                    district,
                    households: households_of(households.round().max(40.0) as usize, &attributes, &mut random),
                });
            }
        }
        let truth = |district: Option<usize>| {
            let inside = |hamlet: &&Hamlet| district.is_none_or(|district| hamlet.district == district);
            (0..attributes.len())
                .map(|index| {
                    let (mut numerator, mut denominator) = (0_u64, 0_u64);
                    for household in hamlets.iter().filter(inside).flat_map(|hamlet| &hamlet.households) {
                        numerator += u64::from(household.numerators[index]);
                        denominator += u64::from(household.denominator(attributes[index].counted));
                    }
                    numerator as f64 / denominator as f64
                })
                .collect()
        };
        Population {
            province: truth(None),
            districts: (0..DISTRICTS.len()).map(|district| truth(Some(district))).collect(),
            attributes,
            hamlets,
        }
    }

    /// Number of districts, which are the strata.
    pub(crate) fn district_count(&self) -> usize {
        self.districts.len()
    }

    /// Number of hamlets of each district.
    pub(crate) fn hamlets_of_districts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.district_count()];
        for hamlet in &self.hamlets {
            counts[hamlet.district] += 1;
        }
        counts
    }
}

/// The households of a hamlet. Its share of each attribute is drawn from the beta distribution that has the prevalence as
/// its mean and gives two households the intraclass correlation asked for.
fn households_of(count: usize, attributes: &[Attribute], random: &mut ChaCha8Rng) -> Vec<Household> {
    let shares: Vec<f64> = attributes
        .iter()
        .map(|attribute| {
            let prevalence = f64::from(attribute.prevalence) / 100.0;
            let size = (1.0 - attribute.correlation) / attribute.correlation;
            let rank = random.random_range(0.0..1.0);
            beta_quantile(rank, prevalence * size, (1.0 - prevalence) * size).expect("the parameters are above 0")
        })
        .collect();
    (0..count)
        .map(|_| {
            let persons = household_size(random);
            let numerators = attributes
                .iter()
                .zip(&shares)
                .map(|(attribute, &share)| match attribute.counted {
                    Counted::Households => u8::from(random.random_bool(share)),
                    Counted::Persons => persons_with(share, persons, random),
                })
                .collect();
            Household { persons, numerators }
        })
        .collect()
}

/// How many persons of a household have an attribute, by the urn of Eggenberger & Pólya (1923, *Zeitschrift für
/// Angewandte Mathematik und Mechanik* 3, 279–289): beta-binomial, without drawing the household's own share.
fn persons_with(share: f64, persons: u32, random: &mut ChaCha8Rng) -> u8 {
    let size = (1.0 - WITHIN_HOUSEHOLD) / WITHIN_HOUSEHOLD;
    let mut with = 0;
    for before in 0..persons {
        let chance = (share * size + f64::from(with)) / (size + f64::from(before));
        with += u8::from(random.random_bool(chance.min(1.0)));
    }
    with
}

fn household_size(random: &mut ChaCha8Rng) -> u32 {
    let mut rank = random.random_range(0..HOUSEHOLD_SIZES.iter().sum::<u32>());
    for (persons, &share) in (1..).zip(&HOUSEHOLD_SIZES) {
        if rank < share {
            return persons;
        }
        rank -= share;
    }
    1
}
