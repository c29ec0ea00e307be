//! A synthetic frame for the real communes of a province, and a sample of it.
//!
//! There are no official household counts below the district, so hamlets and their sizes are made up; only the communes,
//! and the population of districts where the census has it, are real.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha12Rng;

use crate::cli::Failure;
use crate::rounds::{FrameHamlet, SampledUnit};
use crate::table::{Faults, Table};
use crate::units::{Level, UnitTree};

/// Census of 1 April 2019, second-hand; see `server/reference/README.md`.
const POPULATION: &[u8] = include_bytes!("../../reference/population_2019.csv");
/// Persons in a household, for turning population into households.
const PERSONS_PER_HOUSEHOLD: f64 = 3.5;
/// Hamlets of a commune.
const HAMLETS: std::ops::RangeInclusive<u32> = 4..=8;
/// Households that are surveyed in a sampled hamlet, as long as there are hamlets enough.
const TAKE: u64 = 10;
/// Hamlets that are sampled at least, so that every stratum has two.
const SAMPLED_HAMLETS: u64 = 24;

/// The frame and the sample.
#[derive(Debug)]
pub(super) struct Territory {
    pub(super) hamlets: Vec<FrameHamlet>,
    pub(super) households: Vec<SampledUnit>,
}

impl Territory {
    /// Makes hamlets for every commune of the tree (strata are its districts) and samples about `wanted` households in two
    /// stages: hamlets by simple random sampling within strata, households by simple random sampling within hamlets.
    pub(super) fn make(tree: &UnitTree, wanted: u64, random: &mut ChaCha12Rng) -> Result<Self, Failure> {
        let hamlets = frame(tree, random)?;
        let households = sample(&hamlets, wanted, random);
        Ok(Self { hamlets, households })
    }
}

fn frame(tree: &UnitTree, random: &mut ChaCha12Rng) -> Result<Vec<FrameHamlet>, Failure> {
    let population = district_population(tree)?;
    let mut hamlets = Vec::new();
    for district in tree.nodes().iter().filter(|node| node.level == Level::District) {
        let communes: Vec<_> = district
            .children
            .iter()
            .filter_map(|child| tree.nodes().get(*child))
            .filter(|child| child.level == Level::Commune)
            .collect();
        let counts: Vec<u32> = communes.iter().map(|_| random.random_range(HAMLETS)).collect();
        let shares: Vec<f64> = (0..counts.iter().sum::<u32>())
            .map(|_| random.random_range(0.5..1.5))
            .collect();
        let households = population.get(&district.code).copied().unwrap_or(0.0) / PERSONS_PER_HOUSEHOLD;
        let total: f64 = shares.iter().sum();
        let mut shares = shares.into_iter();
        for (commune, count) in communes.iter().zip(counts) {
            let urban = commune.kind != "xã";
            for (number, share) in (1..=count).zip(shares.by_ref()) {
                hamlets.push(FrameHamlet {
                    code: format!("{}-{number:02}", commune.code),
                    name: number.to_string(),
                    kind: if urban { "khu phố" } else { "ấp" }.to_owned(),
                    commune_code: commune.code.clone(),
                    stratum: district.code.clone(),
                    households: (households * share / total).round().max(40.0) as u64,
                });
            }
        }
    }
    Ok(hamlets)
}

/// Persons in each district; districts for which the census figure was not found share what is left of the province.
fn district_population(tree: &UnitTree) -> Result<BTreeMap<String, f64>, Failure> {
    let damaged = |error: crate::table::TableError| Failure::new(error.vietnamese(), error.to_string());
    let table = Table::read(POPULATION, &["code", "population"]).map_err(damaged)?;
    let mut faults = Faults::default();
    let mut known: BTreeMap<String, f64> = BTreeMap::new();
    for (_, cells) in table.rows() {
        if !cells.text("population").is_empty() {
            let persons = cells
                .parse("population", &mut faults, "một số", "a number")
                .unwrap_or(0.0);
            known.insert(cells.text("code").to_owned(), persons);
        }
    }
    let known = faults.or(known).map_err(damaged)?;
    let districts: Vec<&str> = tree
        .nodes()
        .iter()
        .filter(|node| node.level == Level::District)
        .map(|node| node.code.as_str())
        .collect();
    let province = tree
        .nodes()
        .first()
        .and_then(|root| known.get(&root.code))
        .copied()
        .unwrap_or(0.0);
    let counted: f64 = districts.iter().filter_map(|code| known.get(*code)).sum();
    let unknown = districts.iter().filter(|code| !known.contains_key(**code)).count();
    let rest = (province - counted).max(0.0) / unknown.max(1) as f64;
    Ok(districts
        .into_iter()
        .map(|code| (code.to_owned(), known.get(code).copied().unwrap_or(rest)))
        .collect())
}

fn sample(hamlets: &[FrameHamlet], wanted: u64, random: &mut ChaCha12Rng) -> Vec<SampledUnit> {
    let mut strata: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, hamlet) in hamlets.iter().enumerate() {
        strata.entry(&hamlet.stratum).or_default().push(place);
    }
    let all = hamlets.len() as u64;
    let sampled = (wanted / TAKE).clamp(SAMPLED_HAMLETS.min(all), all);
    let mut chosen: Vec<usize> = Vec::new();
    for (places, count) in strata.values_mut().zip(allocation(sampled, all, hamlets)) {
        places.shuffle(random);
        chosen.extend(places.iter().take(count));
    }
    chosen.sort_unstable();

    let mut units = Vec::new();
    for (place, take) in chosen.iter().zip(takes(wanted, &chosen, hamlets)) {
        let hamlet = &hamlets[*place];
        let mut numbers: Vec<u64> = (1..=hamlet.households).collect();
        numbers.shuffle(random);
        numbers.truncate(usize::try_from(take).unwrap_or(usize::MAX));
        numbers.sort_unstable();
        units.extend(numbers.into_iter().map(|number| SampledUnit {
            code: format!("{}-{number:04}", hamlet.code),
            hamlet_code: hamlet.code.clone(),
            address: format!("Nhà số {number} (mô phỏng)"),
        }));
    }
    units
}

/// How many hamlets of each stratum are sampled: in proportion to its hamlets, two at least.
fn allocation(sampled: u64, all: u64, hamlets: &[FrameHamlet]) -> Vec<usize> {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for hamlet in hamlets {
        *sizes.entry(&hamlet.stratum).or_default() += 1;
    }
    let mut counts: Vec<(u64, u64)> = sizes
        .values()
        .map(|size| ((sampled * size / all.max(1)).max(2).min(*size), *size))
        .collect();
    // What rounding left over goes to the strata that are sampled least for their size.
    while counts.iter().map(|(count, _)| count).sum::<u64>() < sampled {
        let least = counts
            .iter_mut()
            .filter(|(count, size)| count < size)
            .min_by(|one, other| (one.0 * other.1).cmp(&(other.0 * one.1)));
        match least {
            Some((count, _)) => *count += 1,
            None => break,
        }
    }
    counts
        .into_iter()
        .map(|(count, _)| usize::try_from(count).unwrap_or(usize::MAX))
        .collect()
}

/// How many households each chosen hamlet gives: the same of each as far as it has so many, `wanted` together.
fn takes(wanted: u64, chosen: &[usize], hamlets: &[FrameHamlet]) -> Vec<u64> {
    let sizes: Vec<u64> = chosen.iter().map(|place| hamlets[*place].households).collect();
    let mut takes = vec![0; sizes.len()];
    let mut left = wanted.min(sizes.iter().sum());
    while left > 0 {
        let open: Vec<usize> = (0..sizes.len()).filter(|place| takes[*place] < sizes[*place]).collect();
        let share = (left / open.len().max(1) as u64).max(1);
        for place in open {
            let more = share.min(sizes[place] - takes[place]).min(left);
            takes[place] += more;
            left -= more;
        }
    }
    takes
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    fn tree() -> UnitTree {
        let mut tree = UnitTree::default();
        let province = tree.add(None, "82", Level::Province, "tỉnh", "Tiền Giang");
        for district in ["815", "816", "818"] {
            let node = tree.add(Some(province), district, Level::District, "huyện", district);
            for commune in 0..5 {
                tree.add(Some(node), &format!("{district}{commune}"), Level::Commune, "xã", "A");
            }
        }
        tree
    }

    fn make(wanted: u64, seed: u64) -> Territory {
        Territory::make(&tree(), wanted, &mut ChaCha12Rng::seed_from_u64(seed)).unwrap()
    }

    #[test]
    fn a_sample_has_the_wanted_size_and_two_hamlets_in_every_stratum() {
        let territory = make(240, 1);
        assert_eq!(territory.households.len(), 240);
        let mut sampled: BTreeMap<&str, std::collections::BTreeSet<&str>> = BTreeMap::new();
        for household in &territory.households {
            let hamlet = territory
                .hamlets
                .iter()
                .find(|hamlet| hamlet.code == household.hamlet_code)
                .unwrap();
            sampled.entry(&hamlet.stratum).or_default().insert(&hamlet.code);
        }
        assert_eq!(sampled.len(), 3);
        assert!(sampled.values().all(|hamlets| hamlets.len() >= 2));
        assert_eq!(sampled.values().map(|hamlets| hamlets.len()).sum::<usize>(), 24);
    }

    #[test]
    fn more_than_there_are_is_everybody() {
        let territory = make(u64::MAX, 1);
        let frame: u64 = territory.hamlets.iter().map(|hamlet| hamlet.households).sum();
        assert_eq!(territory.households.len() as u64, frame);
    }

    #[test]
    fn a_seed_gives_the_same_territory() {
        let (one, again, other) = (make(240, 7), make(240, 7), make(240, 8));
        assert_eq!((one.hamlets, one.households.clone()), (again.hamlets, again.households));
        assert_ne!(one.households, other.households);
    }
}
