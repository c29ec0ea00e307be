//! Which of several responses remain when some of them may be about one household.
//!
//! A household that was listed twice may have answered twice. One of its responses stays, whichever; the others are those
//! of duplicate listings, which are out of scope: they count zero, and the weights stay.

/// Responses of a group that has settled differences, up to which all its outcomes are listed.
const LARGEST_LISTED: usize = 10;

/// Which sets of a group's responses may remain once all its suspicions are settled.
///
/// A group is connected by suspicions: each suspected pair turns out same or different, sameness is transitive, and of
/// responses that are the same exactly one stays. Then every set but the empty one may remain: from those that shall stay
/// one walks along the suspicions until each other response is reached, and takes it to be the same as the one from which
/// it was reached. Only what is known to be different already may forbid some of these sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remaining {
    responses: usize,
    /// Bit i of each set says that response i stays; none where every set but the empty one may remain.
    sets: Option<Vec<u32>>,
    exact: bool,
}

impl Remaining {
    /// Of a group of so many responses where nothing is known to be different: any of them, but at least one.
    pub fn any(responses: usize) -> Self {
        Remaining {
            responses,
            sets: None,
            exact: true,
        }
    }

    /// Of a group of responses numbered from 0, connected by pairs that may be `suspected` to be the same, where others are
    /// known to be `different`. Pairs of numbers that the group does not have are left out.
    ///
    /// With differences, the sets of a group of more than ten responses are not worked out: then every set but the empty
    /// one is taken to be possible, bounds lie around the true ones, and [`Remaining::is_exact`] says so.
    pub fn of_group(responses: usize, suspected: &[(usize, usize)], different: &[(usize, usize)]) -> Self {
        let within = |pairs: &[(usize, usize)]| -> Vec<(usize, usize)> {
            let pairs = pairs.iter().copied();
            pairs
                .filter(|&(one, other)| one != other && one < responses && other < responses)
                .collect()
        };
        let different = within(different);
        if different.is_empty() {
            return Remaining::any(responses);
        }
        if responses > LARGEST_LISTED {
            return Remaining {
                exact: false,
                ..Remaining::any(responses)
            };
        }
        Remaining {
            responses,
            sets: Some(remaining_sets(responses, &within(suspected), &different)),
            exact: true,
        }
    }

    /// How many responses the group has.
    pub fn responses(&self) -> usize {
        self.responses
    }

    /// Whether exactly these sets may remain, and not just these at most.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The sets as they look to an estimate to which only some of the responses bring anything: `places` gives the numbers
    /// of these, in the order in which they are numbered then.
    pub(super) fn seen_from(&self, places: &[usize]) -> Kept {
        let Some(sets) = &self.sets else {
            return Kept::Any {
                or_none: places.is_empty() || places.len() < self.responses,
            };
        };
        let seen = |set: &u32| {
            let bits = places.iter().enumerate();
            bits.fold(0, |seen, (to, &from)| seen | (set >> from & 1) << to)
        };
        let mut seen: Vec<u32> = sets.iter().map(seen).collect();
        seen.sort_unstable();
        seen.dedup();
        Kept::OneOf(seen)
    }
}

/// The sets of households among which an optimum is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// Any, the empty one only where so said.
    Any {
        /// Whether all may be left out.
        or_none: bool,
    },
    /// One of these, by bits.
    OneOf(Vec<u32>),
}

/// Every set that has one response from each part of some division of the group into parts that suspicions connect and
/// that no difference runs through.
fn remaining_sets(responses: usize, suspected: &[(usize, usize)], different: &[(usize, usize)]) -> Vec<u32> {
    let everybody = (1_u32 << responses) - 1;
    let mut neighbours = vec![0_u32; responses];
    let mut strangers = vec![0_u32; responses];
    for (pairs, lists) in [(suspected, &mut neighbours), (different, &mut strangers)] {
        for &(one, other) in pairs {
            lists[one] |= 1 << other;
            lists[other] |= 1 << one;
        }
    }
    let members = |set: u32| (0..responses).filter(move |member| set >> member & 1 == 1);
    let may_be_one = |part: u32| {
        let mut reached = part & part.wrapping_neg();
        loop {
            let further = members(reached).fold(reached, |all, member| all | neighbours[member]) & part;
            if further == reached {
                break;
            }
            reached = further;
        }
        reached == part && members(part).all(|member| strangers[member] & part == 0)
    };
    // By set of responses that are divided, whether each set of them may remain.
    let mut remaining: Vec<Vec<bool>> = vec![vec![true]];
    for divided in 1..=everybody {
        let first = divided & divided.wrapping_neg();
        let mut found = vec![false; divided as usize + 1];
        // Every part that holds the first response.
        for part in subsets(divided & !first).map(|others| first | others) {
            if !may_be_one(part) {
                continue;
            }
            let rest = divided & !part;
            for set in subsets(rest).filter(|set| remaining[rest as usize][*set as usize]) {
                for member in members(part) {
                    found[(set | 1 << member) as usize] = true;
                }
            }
        }
        remaining.push(found);
    }
    let all = remaining.pop().unwrap_or_default();
    (0..).zip(all).filter_map(|(set, may)| may.then_some(set)).collect()
}

/// All subsets of a set, itself and the empty one among them.
fn subsets(of: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(of), move |&set| (set > 0).then(|| (set - 1) & of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_different_forbids_sets() {
        // 0 and 1 differ; 2 may be either of them, or neither.
        let remaining = Remaining::of_group(3, &[(0, 2), (1, 2)], &[(0, 1)]);
        assert_eq!(remaining.sets, Some(vec![0b011, 0b101, 0b110, 0b111]));
        // An estimate that sees 2 and 1 only, in this order.
        assert_eq!(remaining.seen_from(&[2, 1]), Kept::OneOf(vec![0b01, 0b10, 0b11]));
        assert!(remaining.is_exact());
    }

    #[test]
    fn without_differences_any_set_but_the_empty_one_remains() {
        let chain = Remaining::of_group(3, &[(0, 1), (1, 2)], &[(7, 1), (2, 2)]);
        assert_eq!(chain, Remaining::any(3));
        assert_eq!(chain.seen_from(&[0, 1, 2]), Kept::Any { or_none: false });
        assert_eq!(chain.seen_from(&[1]), Kept::Any { or_none: true });
        // The way of large groups agrees with listing the sets, as with a difference that forbids nothing.
        assert_eq!(remaining_sets(3, &[(0, 1), (1, 2)], &[]), (1..8).collect::<Vec<u32>>());
    }

    #[test]
    fn a_large_group_with_differences_says_that_it_is_not_exact() {
        let chain: Vec<(usize, usize)> = (0..LARGEST_LISTED).map(|at| (at, at + 1)).collect();
        let responses = LARGEST_LISTED + 1;
        assert!(!Remaining::of_group(responses, &chain, &[(0, 2)]).is_exact());
        assert!(Remaining::of_group(responses, &chain, &[]).is_exact());
        assert!(Remaining::of_group(LARGEST_LISTED, &chain, &[(0, 2)]).is_exact());
    }
}
