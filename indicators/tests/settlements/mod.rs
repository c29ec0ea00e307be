//! Every way to settle what is open about a few households, tried one by one.

use indicators::bounds::{Remaining, SuspectedGroup, UnsettledHousehold};
use indicators::design::{Design, Psu, Stratum};
use indicators::summary::{Contribution, PsuSummary};
use proptest::prelude::*;

/// Two different numbers.
pub(crate) type Pair = (usize, usize);

/// Responses that suspicions connect, with what is known to be different among them.
#[derive(Debug, Clone)]
pub(crate) struct Suspicions {
    pub(crate) responses: usize,
    pub(crate) suspected: Vec<Pair>,
    pub(crate) different: Vec<Pair>,
}

/// Groups of up to `most` responses.
pub(crate) fn suspicions(most: usize) -> impl Strategy<Value = Suspicions> {
    (1..=most).prop_flat_map(|responses| {
        // Each response is suspected to be one of those before it, and any other two are suspected, different, or neither.
        let first = (1..responses).map(|response| 0..response).collect::<Vec<_>>();
        let others = prop::collection::vec(0..4_u8, responses * responses);
        (first, others).prop_map(move |(first, others)| {
            let mut suspected: Vec<Pair> = first.into_iter().zip(1..).collect();
            let mut different = Vec::new();
            for two in 0..responses {
                for one in (0..two)
                    .filter(|&one| !suspected.contains(&(one, two)))
                    .collect::<Vec<_>>()
                {
                    match others[one * responses + two] {
                        0 => suspected.push((one, two)),
                        1 => different.push((one, two)),
                        _ => {}
                    }
                }
            }
            Suspicions {
                responses,
                suspected,
                different,
            }
        })
    })
}

impl Suspicions {
    pub(crate) fn remaining(&self) -> Remaining {
        Remaining::of_group(self.responses, &self.suspected, &self.different)
    }

    /// The sets of responses that remain, over every consistent answer to every suspicion and every choice of who stays.
    pub(crate) fn outcomes(&self) -> Vec<Vec<bool>> {
        let mut all = Vec::new();
        for answers in 0..1_u32 << self.suspected.len() {
            let is_same = |at: usize| answers >> at & 1 == 1;
            // The smallest response that is the same.
            let mut household: Vec<usize> = (0..self.responses).collect();
            for _ in 0..self.responses {
                for (at, &(one, two)) in self.suspected.iter().enumerate().filter(|(at, _)| is_same(*at)) {
                    assert!(is_same(at));
                    let least = household[one].min(household[two]);
                    (household[one], household[two]) = (least, least);
                }
            }
            let denied = self
                .suspected
                .iter()
                .enumerate()
                .filter(|(at, _)| !is_same(*at))
                .map(|(_, pair)| pair);
            if denied
                .chain(&self.different)
                .any(|&(one, two)| household[one] == household[two])
            {
                continue;
            }
            for stays in 0..1_u32 << self.responses {
                let stays: Vec<bool> = (0..self.responses).map(|response| stays >> response & 1 == 1).collect();
                let one_each = (0..self.responses)
                    .filter(|&first| household[first] == first)
                    .all(|first| {
                        (0..self.responses)
                            .filter(|&other| household[other] == first && stays[other])
                            .count()
                            == 1
                    });
                if one_each && !all.contains(&stays) {
                    all.push(stays);
                }
            }
        }
        all
    }
}

/// Every combination of what the households may come to: `None` for a duplicate. Households that no group names stay.
pub(crate) fn settlements(
    options: &[Vec<Contribution>],
    groups: &[(Suspicions, Vec<Option<usize>>)],
) -> Vec<Vec<Option<Contribution>>> {
    // Which households stay.
    let mut stays = vec![vec![true; options.len()]];
    for (suspicions, members) in groups {
        let outcomes = suspicions.outcomes();
        let with = |before: &Vec<bool>| {
            let before = before.clone();
            let members = members.clone();
            outcomes.clone().into_iter().map(move |outcome| {
                let mut after = before.clone();
                for (member, stays) in members.iter().zip(outcome) {
                    if let Some(household) = *member {
                        after[household] = stays;
                    }
                }
                after
            })
        };
        stays = stays.iter().flat_map(with).collect();
        stays.sort();
        stays.dedup();
    }
    let valued = |stays: &Vec<bool>| {
        let mut all = vec![Vec::new()];
        for (&stays, options) in stays.iter().zip(options) {
            let values: Vec<Option<Contribution>> = match stays {
                true => options.iter().copied().map(Some).collect(),
                false => vec![None],
            };
            all = all
                .iter()
                .flat_map(|start: &Vec<Option<Contribution>>| {
                    values
                        .iter()
                        .map(|value| start.iter().copied().chain([*value]).collect())
                })
                .collect();
        }
        all
    };
    stays.iter().flat_map(valued).collect()
}

/// Small counts, so that every sum is exact.
pub(crate) fn contribution() -> impl Strategy<Value = Contribution> {
    (0..5_u32, 0..4_u32).prop_map(|(y, x)| Contribution {
        numerator: f64::from(y),
        denominator: f64::from(x),
    })
}

/// A small survey: hamlets of one stratum with households, some of which are in conflict, and suspected duplicates.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    /// Whether all hamlets and households were visited.
    is_census: bool,
    hamlets: Vec<Vec<Contribution>>,
    pub(crate) unsettled: Vec<UnsettledHousehold>,
    pub(crate) groups: Vec<(Suspicions, Vec<Option<usize>>)>,
}

/// Surveys of up to four hamlets with up to five unsettled households, of which up to four may be duplicates of each other.
pub(crate) fn surveys() -> impl Strategy<Value = Survey> {
    let household = (
        contribution(),
        prop::collection::vec(contribution(), 0..3),
        any::<bool>(),
    );
    let hamlets = prop::collection::vec(prop::collection::vec(household, 1..5), 1..5);
    let all = (any::<bool>(), hamlets, suspicions(4), any::<prop::sample::Index>());
    all.prop_map(|(is_census, hamlets, suspicions, first)| {
        let mut unsettled = Vec::new();
        for (psu, households) in hamlets.iter().enumerate() {
            for (counted, others, is_open) in households {
                if *is_open && unsettled.len() < 5 {
                    let options = others.iter().copied().chain([*counted]).collect();
                    unsettled.push(UnsettledHousehold {
                        psu,
                        counted: *counted,
                        options,
                    });
                }
            }
        }
        // The group's members follow each other, from any household on; those beyond the last bring nothing.
        let first = first.index(unsettled.len() + 1);
        let members = first..first + suspicions.responses;
        let members = members.map(|at| (at < unsettled.len()).then_some(at)).collect();
        Survey {
            is_census,
            hamlets: hamlets
                .into_iter()
                .map(|households| households.into_iter().map(|(counted, ..)| counted).collect())
                .collect(),
            unsettled,
            groups: vec![(suspicions, members)],
        }
    })
}

impl Survey {
    pub(crate) fn design(&self) -> Design {
        let (more_hamlets, more_households) = if self.is_census { (0, 0) } else { (3, 2) };
        let psus: Vec<Psu> = self
            .hamlets
            .iter()
            .map(|households| Psu {
                stratum: 0,
                households: households.len() as u64 + more_households,
            })
            .collect();
        Design::new(
            vec![Stratum {
                psus: psus.len() as u64 + more_hamlets,
            }],
            psus,
        )
        .unwrap()
    }

    /// The hamlets' sums with the unsettled households' values replaced by those given, zeros for a duplicate.
    pub(crate) fn summaries(&self, settled: &[Option<Contribution>]) -> Vec<PsuSummary> {
        let mut summaries = vec![PsuSummary::new(1); self.hamlets.len()];
        for (summary, households) in summaries.iter_mut().zip(&self.hamlets) {
            for counted in households {
                summary.add(&[*counted]).unwrap();
            }
        }
        for (open, value) in self.unsettled.iter().zip(settled) {
            let value = value.unwrap_or(Contribution::NONE);
            summaries[open.psu]
                .apply(Some(&[open.counted]), Some(&[value]))
                .unwrap();
        }
        summaries
    }

    /// As everything is counted now.
    pub(crate) fn counted(&self) -> Vec<Option<Contribution>> {
        self.unsettled.iter().map(|open| Some(open.counted)).collect()
    }

    pub(crate) fn options(&self) -> Vec<Vec<Contribution>> {
        self.unsettled.iter().map(|open| open.options.clone()).collect()
    }

    /// Which members may remain, by group.
    pub(crate) fn remaining(&self) -> Vec<Remaining> {
        self.groups
            .iter()
            .map(|(suspicions, _)| suspicions.remaining())
            .collect()
    }

    pub(crate) fn suspected<'a>(&self, remaining: &'a [Remaining]) -> Vec<SuspectedGroup<'a>> {
        let groups = self.groups.iter().zip(remaining);
        groups
            .map(|((_, members), remaining)| SuspectedGroup {
                members: members.clone(),
                remaining,
            })
            .collect()
    }
}
