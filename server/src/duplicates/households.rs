//! What settled and open pairs say together: who stays for whom, and which responses may still turn out to be one household.

use std::collections::{BTreeMap, BTreeSet};

use indicators::bounds::Remaining;

use super::{Pair, Verdict};

/// Which responses the settled pairs join into households. Of each household one response stays.
#[derive(Debug, Default)]
pub(crate) struct Households {
    /// By response that counts zero, the one that stays for it in the pair that says so. That one may count zero by another
    /// pair; pairs are settled only between responses that stay, so the chain ends.
    kept: BTreeMap<i64, i64>,
    /// Two that stay and are different, the smaller number first.
    different: BTreeSet<(i64, i64)>,
}

/// Responses that open pairs connect: some of them may be one household.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Their numbers in the database, all of them of responses that stay.
    pub(crate) responses: Vec<i64>,
    /// Which of them may stay in the end.
    pub(crate) remaining: Remaining,
}

impl Households {
    pub(crate) fn of(pairs: &[Pair]) -> Self {
        let mut households = Self::default();
        for pair in pairs {
            if let Some(Verdict::Same { kept }) = pair.verdict {
                let duplicate = if kept == pair.first { pair.second } else { pair.first };
                households.kept.insert(duplicate, kept);
            }
        }
        for pair in pairs.iter().filter(|pair| pair.verdict == Some(Verdict::Different)) {
            let (first, second) = households.stay(pair);
            households.different.insert((first, second));
        }
        households
    }

    /// The responses that count zero.
    pub(crate) fn duplicates(&self) -> impl Iterator<Item = i64> {
        self.kept.keys().copied()
    }

    /// The response that stays for this one: itself where it is nobody's duplicate.
    pub(crate) fn stays_for(&self, response: i64) -> i64 {
        let mut stays = response;
        // No chain is longer than there are duplicates, also where the database was damaged.
        for _ in 0..self.kept.len() {
            match self.kept.get(&stays) {
                Some(kept) => stays = *kept,
                None => break,
            }
        }
        stays
    }

    /// The responses that stay for both of a pair, the smaller number first.
    fn stay(&self, pair: &Pair) -> (i64, i64) {
        let (first, second) = (self.stays_for(pair.first), self.stays_for(pair.second));
        (first.min(second), first.max(second))
    }

    /// Whether the settled pairs say that the two are one household.
    pub(crate) fn are_same(&self, pair: &Pair) -> bool {
        let (first, second) = self.stay(pair);
        first == second
    }

    /// Whether the settled pairs say that the two are different households.
    pub(crate) fn are_different(&self, pair: &Pair) -> bool {
        self.different.contains(&self.stay(pair))
    }

    /// Whether nobody has settled the pair, and no other pairs settle it.
    pub(crate) fn is_open(&self, pair: &Pair) -> bool {
        pair.verdict.is_none() && !self.are_same(pair) && !self.are_different(pair)
    }

    /// The groups that the open pairs make.
    pub(crate) fn groups(&self, pairs: &[Pair]) -> Vec<Group> {
        let open: BTreeSet<(i64, i64)> = pairs
            .iter()
            .filter(|pair| self.is_open(pair))
            .map(|pair| self.stay(pair))
            .collect();
        let mut neighbours: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for &(first, second) in &open {
            neighbours.entry(first).or_default().push(second);
            neighbours.entry(second).or_default().push(first);
        }
        let mut seen = BTreeSet::new();
        let mut groups = Vec::new();
        for &start in neighbours.keys() {
            let (mut responses, mut ahead) = (BTreeSet::new(), vec![start]);
            while let Some(response) = ahead.pop() {
                if seen.insert(response) {
                    responses.insert(response);
                    ahead.extend(neighbours.get(&response).into_iter().flatten());
                }
            }
            if responses.is_empty() {
                continue;
            }
            let place: BTreeMap<i64, usize> = responses.iter().copied().zip(0..).collect();
            let within = |pairs: &BTreeSet<(i64, i64)>| -> Vec<(usize, usize)> {
                let pairs = pairs.iter();
                pairs
                    .filter_map(|(first, second)| Some((*place.get(first)?, *place.get(second)?)))
                    .collect()
            };
            groups.push(Group {
                remaining: Remaining::of_group(responses.len(), &within(&open), &within(&self.different)),
                responses: responses.into_iter().collect(),
            });
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(first: i64, second: i64, verdict: Option<Verdict>) -> Pair {
        Pair { first, second, verdict }
    }

    fn same(kept: i64) -> Option<Verdict> {
        Some(Verdict::Same { kept })
    }

    #[test]
    fn settled_pairs_settle_others() {
        let pairs = [
            pair(1, 2, same(1)),
            pair(2, 3, None),
            pair(1, 3, Some(Verdict::Different)),
            pair(3, 4, same(4)),
            pair(4, 5, None),
        ];
        let households = Households::of(&pairs);
        assert_eq!(households.duplicates().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(
            [1, 2, 3, 4, 5].map(|response| households.stays_for(response)),
            [1, 1, 4, 4, 5]
        );
        // 2 is 1 and 3 is 4, and these differ: only the last pair is open.
        assert!(households.are_different(&pairs[1]) && households.are_different(&pair(1, 4, None)));
        let open: Vec<bool> = pairs.iter().map(|pair| households.is_open(pair)).collect();
        assert_eq!(open, [false, false, false, false, true]);
        let groups = households.groups(&pairs);
        assert_eq!(groups.len(), 1);
        assert_eq!(
            (&groups[0].responses[..], &groups[0].remaining),
            (&[4, 5][..], &Remaining::any(2))
        );
    }

    #[test]
    fn an_open_pair_of_a_duplicate_is_one_of_the_response_that_stays_for_it() {
        let pairs = [
            pair(1, 2, same(1)),
            pair(2, 3, None),
            pair(3, 4, None),
            pair(1, 4, Some(Verdict::Different)),
        ];
        let groups = Households::of(&pairs).groups(&pairs);
        assert_eq!(groups[0].responses, [1, 3, 4]);
        assert_eq!(
            groups[0].remaining,
            Remaining::of_group(3, &[(0, 1), (1, 2)], &[(0, 2)])
        );
    }

    #[test]
    fn chains_lead_to_the_one_that_stays() {
        let pairs = [pair(1, 2, same(2)), pair(2, 3, same(3)), pair(1, 3, None)];
        let households = Households::of(&pairs);
        assert_eq!(households.stays_for(1), 3);
        assert!(households.are_same(&pairs[2]) && !households.is_open(&pairs[2]));
        // Without the later pair, the earlier one says what it said.
        let households = Households::of(&pairs[..1]);
        assert_eq!((households.stays_for(1), households.stays_for(3)), (2, 3));
    }
}
