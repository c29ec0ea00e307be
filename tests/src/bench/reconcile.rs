//! Set reconciliation against listing: what it costs two replicas to find the few changes that one has and the other
//! lacks.

use std::time::{Duration, Instant};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sync_core::ChangeHash;
use sync_core::exchange::reconciliation::{ChangeSet, Difference, Initiator, Limits, Salt, Step, answer};

use super::table::{Better, Comparison};

/// Measured repetitions, each with another salt; one more goes before them to warm up.
const REPETITIONS: u8 = 9;
/// Changes of a response, for the baseline that lists responses.
const CHANGES_PER_RESPONSE: usize = 3;
/// Bytes of a hash or digest.
const HASH_BYTES: usize = 32;
/// Bytes of a response's id.
const ID_BYTES: usize = 16;

/// Two replicas.
struct Replicas {
    what: String,
    here: Vec<ChangeHash>,
    there: Vec<ChangeHash>,
    difference: Difference,
}

/// What one way of finding the difference cost.
#[derive(Debug, Default, Clone, Copy)]
struct Cost {
    round_trips: u32,
    sent: usize,
    received: usize,
    here: Duration,
    there: Duration,
}

/// Measures bytes, round trips and processor time, both sides in this process.
pub fn measure() -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for replicas in [
        Replicas::new("two servers", 300_000, 50, 50),
        Replicas::new("a phone", 2_000, 1, 2),
    ] {
        replicas.measure(&mut comparisons);
    }
    comparisons
}

impl Replicas {
    /// Two sets with `common` changes in common, and more that only one has.
    fn new(who: &str, common: usize, only_here: usize, only_there: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(300_000);
        let mut draw = |count: usize| {
            let mut hashes = vec![ChangeHash([0; HASH_BYTES]); count];
            hashes.iter_mut().for_each(|hash| random.fill_bytes(&mut hash.0));
            hashes.sort_unstable();
            hashes
        };
        let difference = Difference {
            missing_here: draw(only_there),
            missing_there: draw(only_here),
        };
        let common_changes = draw(common);
        let with = |own: &[ChangeHash]| {
            let mut hashes = [&common_changes, own].concat();
            hashes.sort_unstable();
            hashes
        };
        Self {
            what: format!("{who}: {common} changes, {} differ", only_here + only_there),
            here: with(&difference.missing_there),
            there: with(&difference.missing_here),
            difference,
        }
    }

    fn measure(&self, comparisons: &mut Vec<Comparison>) {
        let mut costs = Vec::new();
        for repetition in 0..=REPETITIONS {
            let (ours, listing) = (self.reconcile(repetition), self.list());
            eprintln!("reconcile: {}: {ours:?}", self.what);
            if repetition > 0 {
                costs.push((ours, listing));
            }
        }
        let mut compare = |quantity: &str, against: &str, unit, pairs: Vec<(f64, f64)>| {
            comparisons.push(Comparison {
                what: format!("{}: {quantity}", self.what),
                against: against.to_owned(),
                unit,
                better: Better::Lower,
                pairs,
            });
        };
        let pairs = |of: &dyn Fn(&Cost) -> f64| costs.iter().map(|(ours, listing)| (of(ours), of(listing))).collect();
        let bytes = |cost: &Cost| (cost.sent + cost.received) as f64;
        let listing = "all hashes listed";
        compare("bytes both ways", listing, "bytes", pairs(&bytes));
        let digests = self.digest_bytes() as f64;
        compare(
            "bytes both ways",
            "a digest for each response, then the hashes of those that differ",
            "bytes",
            costs.iter().map(|(ours, _)| (bytes(ours), digests)).collect(),
        );
        compare(
            "round trips",
            listing,
            "round trips",
            pairs(&|cost| f64::from(cost.round_trips)),
        );
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        compare(
            "time of the side that asks",
            listing,
            "ms",
            pairs(&|cost| milliseconds(cost.here)),
        );
        compare(
            "time of the side that answers",
            listing,
            "ms",
            pairs(&|cost| milliseconds(cost.there)),
        );
    }

    fn reconcile(&self, salt: u8) -> Cost {
        let limits = Limits::default();
        let mut cost = Cost::default();
        let begun = Instant::now();
        let here: ChangeSet = self.here.iter().copied().collect();
        let mut initiator = Initiator::new(here, Salt([salt; 16]), limits).unwrap();
        cost.here += begun.elapsed();
        loop {
            cost.round_trips += 1;
            let request = initiator.request();
            let begun = Instant::now();
            // A server keeps nothing between requests, so each begins with the rows of the database.
            let there: ChangeSet = self.there.iter().copied().collect();
            let answer = answer(&there, &request, &limits).unwrap();
            cost.there += begun.elapsed();
            cost.sent += request.len();
            cost.received += answer.len();
            let begun = Instant::now();
            let step = initiator.receive(&answer).unwrap();
            cost.here += begun.elapsed();
            if let Step::Reconciled(difference) = step {
                assert_eq!(difference, self.difference);
                return cost;
            }
        }
    }

    /// One side sends all its hashes; the other answers with those that it has besides, and with those that it lacks.
    fn list(&self) -> Cost {
        let mut cost = Cost {
            round_trips: 1,
            ..Cost::default()
        };
        let begun = Instant::now();
        let request: Vec<u8> = self.here.iter().flat_map(|hash| hash.0).collect();
        cost.here += begun.elapsed();
        cost.sent = request.len();

        let begun = Instant::now();
        let (hashes, _) = request.as_chunks::<HASH_BYTES>();
        let here: Vec<ChangeHash> = hashes.iter().map(|hash| ChangeHash(*hash)).collect();
        let lacking = |from: &[ChangeHash], of: &[ChangeHash]| -> Vec<ChangeHash> {
            let lacks = |hash: &&ChangeHash| of.binary_search(hash).is_err();
            from.iter().filter(lacks).copied().collect()
        };
        let answer = Difference {
            missing_here: lacking(&self.there, &here),
            missing_there: lacking(&here, &self.there),
        };
        cost.there += begun.elapsed();
        cost.received = (answer.missing_here.len() + answer.missing_there.len()) * HASH_BYTES;
        assert_eq!(answer, self.difference);
        cost
    }

    /// Bytes of listing each response's id with a digest of its changes, and of both sides' hashes where that differs,
    /// each change in a response of its own.
    fn digest_bytes(&self) -> usize {
        let differing = self.difference.missing_here.len() + self.difference.missing_there.len();
        let responses = self.here.len().div_ceil(CHANGES_PER_RESPONSE);
        responses * (ID_BYTES + HASH_BYTES) + differing * (ID_BYTES + 2 * CHANGES_PER_RESPONSE * HASH_BYTES)
    }
}
