//! What suspected duplicates mean for a round's live sums: which responses count zero, and which still may.

use std::collections::{BTreeMap, BTreeSet};

use indicators::bounds::{SuspectedGroup, Unsettled, UnsettledHousehold};
use indicators::summary::Contribution;

use super::Reduced;
use crate::duplicates::{self, Group, Households, Pair};
use crate::rounds::added;
use crate::store::{Store, StoreError};

/// The suspected duplicates of a round, by the responses' numbers in the database.
#[derive(Default)]
pub(super) struct Suspects {
    /// How often the pairs had changed when they were read.
    pub(super) revision: i64,
    /// The responses that count zero.
    duplicates: BTreeSet<i64>,
    groups: Vec<Group>,
    /// The responses of groups.
    grouped: BTreeSet<i64>,
    open: Vec<Pair>,
    /// Every response of which something is to be known.
    wanted: BTreeSet<i64>,
    /// Of groups and open pairs, each response's hamlet and what it contributes.
    members: BTreeMap<i64, (usize, Reduced)>,
}

/// What is open about the responses of a domain, with the responses' numbers in the order of the households.
pub(super) struct OpenResponses<'a> {
    pub(super) unsettled: Unsettled<'a>,
    pub(super) keys: Vec<i64>,
}

impl Suspects {
    /// Reads the pairs of a round; what their responses contribute is told by [`Suspects::learn`].
    pub(super) async fn load(store: &Store, round_key: i64) -> Result<Self, StoreError> {
        // Read first: where the pairs are newer than that, they are read once more.
        let revision = duplicates::revision(&store.readers, round_key).await?;
        let pairs = duplicates::load(&store.readers, round_key).await?;
        let uncounted = added::uncounted_responses(&store.readers, &pairs).await?;
        // A listed household was drawn with the same probability whether or not it was also added, so its response counts
        // whatever becomes of the pair.
        let is_counted = |pair: &&Pair| !uncounted.contains(&pair.first) && !uncounted.contains(&pair.second);
        let counted: Vec<Pair> = pairs.iter().filter(is_counted).copied().collect();
        let households = Households::of(&counted);
        let duplicates: BTreeSet<i64> = households.duplicates().collect();
        let groups = households.groups(&counted);
        let all = Households::of(&pairs);
        let open: Vec<Pair> = pairs.into_iter().filter(|pair| all.is_open(pair)).collect();
        let grouped: BTreeSet<i64> = groups
            .iter()
            .flat_map(|group| group.responses.iter().copied())
            .collect();
        let both = open.iter().flat_map(|pair| [pair.first, pair.second]);
        let wanted = both.chain(grouped.iter().copied()).chain(duplicates.iter().copied());
        Ok(Self {
            revision,
            wanted: wanted.collect(),
            duplicates,
            groups,
            grouped,
            open,
            members: BTreeMap::new(),
        })
    }

    /// Every response of which something is to be known.
    pub(super) fn wanted(&self) -> &BTreeSet<i64> {
        &self.wanted
    }

    /// What a response adds to its hamlet's sums.
    pub(super) fn contributions(&self, response_key: i64, reduced: &Reduced) -> Option<Vec<Contribution>> {
        if self.duplicates.contains(&response_key) {
            reduced.contributions_of_duplicate()
        } else {
            reduced.contributions()
        }
    }

    /// Takes note of what a response contributes now, if it matters here.
    pub(super) fn learn(&mut self, response_key: i64, hamlet: usize, reduced: &Reduced) {
        if self.wanted.contains(&response_key) {
            self.members.insert(response_key, (hamlet, reduced.clone()));
        }
    }

    /// How many open pairs have a response in these hamlets.
    pub(super) fn open_in(&self, hamlets: &[usize]) -> u64 {
        if self.open.is_empty() {
            return 0;
        }
        let hamlets: BTreeSet<usize> = hamlets.iter().copied().collect();
        let is_there = |key: &i64| {
            self.members
                .get(key)
                .is_some_and(|(hamlet, _)| hamlets.contains(hamlet))
        };
        let open = self.open.iter();
        open.filter(|pair| is_there(&pair.first) || is_there(&pair.second))
            .count() as u64
    }

    /// Whether what groups with a response in these hamlets may come to is known exactly.
    pub(super) fn is_exact_in(&self, hamlets: &[usize]) -> bool {
        let hamlets: BTreeSet<usize> = match self.groups.is_empty() {
            true => BTreeSet::new(),
            false => hamlets.iter().copied().collect(),
        };
        let is_there = |(hamlet, _): &&(usize, Reduced)| hamlets.contains(hamlet);
        self.groups.iter().all(|group| {
            let mut members = group
                .responses
                .iter()
                .filter_map(|key| self.members.get(key))
                .filter(is_there);
            members.all(|(_, reduced)| group.remaining.is_exact() && reduced.exact)
        })
    }

    /// Everything that is open about the responses of some hamlets for one indicator: conflicts of responses that stay, given
    /// by hamlet and response, and suspected duplicates. `is_sampled` says whether a hamlet has respondents.
    pub(super) fn open_responses<'a>(
        &'a self,
        hamlets: &[usize],
        conflicted: impl Iterator<Item = (usize, i64, &'a Reduced)>,
        is_sampled: impl Fn(usize) -> bool,
        measured: usize,
    ) -> OpenResponses<'a> {
        let mut open = OpenResponses {
            unsettled: Unsettled::default(),
            keys: Vec::new(),
        };
        for (psu, key, reduced) in conflicted {
            // A duplicate counts zero whatever it says, and those of groups follow below.
            let is_alone = !self.duplicates.contains(&key) && !self.grouped.contains(&key);
            if let Some(options) = reduced.options(measured)
                && is_alone
                && is_sampled(psu)
            {
                open.push(key, psu, reduced.counted(measured), options);
            }
        }
        if self.groups.is_empty() {
            return open;
        }
        let hamlets: BTreeSet<usize> = hamlets.iter().copied().collect();
        for group in &self.groups {
            let members = group.responses.iter().map(|key| {
                let (psu, reduced) = self.members.get(key)?;
                let counted = reduced.counted(measured);
                let options = reduced.options(measured).unwrap_or_else(|| vec![counted]);
                let brings_something = options.iter().any(|option| *option != Contribution::NONE);
                let is_here = hamlets.contains(psu) && is_sampled(*psu);
                (brings_something && is_here).then(|| open.push(*key, *psu, counted, options))
            });
            let members: Vec<Option<usize>> = members.collect();
            if members.iter().any(Option::is_some) {
                open.unsettled.groups.push(SuspectedGroup {
                    members,
                    remaining: &group.remaining,
                });
            }
        }
        open
    }
}

impl OpenResponses<'_> {
    /// Adds a household, and gives its position.
    fn push(&mut self, key: i64, psu: usize, counted: Contribution, options: Vec<Contribution>) -> usize {
        self.unsettled
            .households
            .push(UnsettledHousehold { psu, counted, options });
        self.keys.push(key);
        self.keys.len() - 1
    }
}
