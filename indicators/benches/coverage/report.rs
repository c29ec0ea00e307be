//! What is printed.

use super::interval::Way;
use super::population::{Attribute, CORRELATIONS, Counted, Population};
use super::repetition::Tallies;
use super::tally::{Count, Tally};

/// The coverage that the default is meant to have.
const WANTED: std::ops::RangeInclusive<f64> = 0.94..=0.97;

/// For which domains tallies are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Province,
    Districts,
}

impl Place {
    const ALL: [Place; 2] = [Place::Province, Place::Districts];

    fn name(self) -> &'static str {
        match self {
            Place::Province => "province",
            Place::Districts => "a district (the 11 together)",
        }
    }

    fn tallies(self, of_domains: &Tallies) -> Vec<&Tally> {
        match self {
            Place::Province => of_domains.iter().take(1).collect(),
            Place::Districts => of_domains.iter().skip(1).collect(),
        }
    }
}

/// Prints all tallies of a campaign, and then the range of coverages of each way.
pub(crate) fn print(population: &Population, tallies: &[Tallies]) {
    for place in Place::ALL {
        for counted in Counted::ALL {
            for correlation in CORRELATIONS {
                println!(
                    "\n### {}, {}, intraclass correlation {correlation}\n",
                    place.name(),
                    counted.name()
                );
                println!(
                    "| prevalence | bias of the standard error | method | coverage | ends below the truth | begins above it \
                     | mean length, points | no interval |\n| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
                );
                let belongs =
                    |attribute: &Attribute| attribute.counted == counted && attribute.correlation == correlation;
                for (attribute, of_domains) in population.attributes.iter().zip(tallies) {
                    if belongs(attribute) {
                        print_attribute(attribute, &place.tallies(of_domains));
                    }
                }
            }
        }
    }
    println!("\n### Lowest and highest coverage\n");
    println!("| method | province | a district |\n| --- | ---: | ---: |");
    for way in Way::ALL {
        let ranges = Place::ALL.map(|place| range(place, way, tallies));
        println!("| {} | {} | {} |", way.name(), ranges[0], ranges[1]);
    }
}

fn print_attribute(attribute: &Attribute, tallies: &[&Tally]) {
    let bias = Tally::variance_ratio(tallies).sqrt() - 1.0;
    for way in Way::ALL {
        let count = sum(tallies, way);
        let samples: u64 = tallies.iter().map(|tally| tally.samples()).sum();
        let share = |number: u64| 100.0 * number as f64 / count.intervals as f64;
        println!(
            "| {} % | {:+.1} % | {} | {:.1} % ± {:.1} | {:.1} % | {:.1} % | {:.2} | {:.1} % |",
            attribute.prevalence,
            100.0 * bias,
            way.name(),
            100.0 * count.coverage(),
            100.0 * count.monte_carlo_error(),
            share(count.below),
            share(count.above),
            100.0 * count.length / count.intervals as f64,
            100.0 * (samples - count.intervals) as f64 / samples as f64,
        );
    }
}

fn sum(tallies: &[&Tally], way: Way) -> Count {
    let mut sum = Count::default();
    for tally in tallies {
        sum.merge(&tally.way(way));
    }
    sum
}

/// "94.1–96.3 %" over all attributes, and how many of them lie outside what is wanted.
fn range(place: Place, way: Way, tallies: &[Tallies]) -> String {
    let coverages: Vec<f64> = tallies
        .iter()
        .map(|of_domains| sum(&place.tallies(of_domains), way).coverage())
        .collect();
    let lowest = coverages.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = coverages.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let outside = coverages.iter().filter(|coverage| !WANTED.contains(*coverage)).count();
    format!(
        "{:.1}–{:.1} %; {outside} of {} outside 94–97 %",
        100.0 * lowest,
        100.0 * highest,
        coverages.len()
    )
}
