//! Set reconciliation: the difference is exact, costs what it should, and nothing that the other side sends leads to a
//! wrong one.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use sync_core::ChangeHash;
use sync_core::exchange::reconciliation::{
    ChangeSet, Difference, Fault, Initiator, Limits, MAX_CELLS, REQUEST_BYTES, ReconciliationError, Salt, Step, answer,
};

/// Hashes as even as those of SHA-256, from a number: the four words of SplitMix64 after it.
fn hash(number: u64) -> ChangeHash {
    let mut bytes = [0; 32];
    let mut state = number.wrapping_mul(0x2545_f491_4f6c_dd1d);
    for word in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word.copy_from_slice(&(mixed ^ mixed >> 31).to_be_bytes());
    }
    ChangeHash(bytes)
}

fn hashes(numbers: std::ops::Range<u64>) -> BTreeSet<ChangeHash> {
    numbers.map(hash).collect()
}

/// What the sets themselves say differs.
fn difference(here: &BTreeSet<ChangeHash>, there: &BTreeSet<ChangeHash>) -> Difference {
    Difference {
        missing_here: there.difference(here).copied().collect(),
        missing_there: here.difference(there).copied().collect(),
    }
}

fn set(hashes: &BTreeSet<ChangeHash>) -> ChangeSet {
    hashes.iter().copied().collect()
}

/// Limits under which the cost is no reason to give up.
fn patient() -> Limits {
    Limits {
        change_bytes: None,
        ..Limits::default()
    }
}

/// What a session came to, and what it cost.
struct Session {
    result: Result<Difference, ReconciliationError>,
    round_trips: u32,
    bytes: usize,
}

fn reconcile(here: &BTreeSet<ChangeHash>, there: &BTreeSet<ChangeHash>, salt: u8, limits: Limits) -> Session {
    let there = set(there);
    run(here, salt, limits, |request, _| answer(&there, request, &limits))
}

/// A session with a responder that is given the request and its number.
fn run(
    here: &BTreeSet<ChangeHash>,
    salt: u8,
    limits: Limits,
    mut responder: impl FnMut(&[u8], u32) -> Result<Vec<u8>, ReconciliationError>,
) -> Session {
    let mut initiator = Initiator::new(set(here), Salt([salt; 16]), limits).unwrap();
    let (mut round_trips, mut bytes) = (0, 0);
    loop {
        let request = initiator.request();
        assert_eq!(request.len(), REQUEST_BYTES);
        let step = responder(&request, round_trips).and_then(|answer| {
            assert!(answer.len() <= initiator.answer_bytes());
            bytes += request.len() + answer.len();
            initiator.receive(&answer)
        });
        round_trips += 1;
        assert!(round_trips <= u32::from(limits.answers));
        let result = match step {
            Ok(Step::Ask) => continue,
            Ok(Step::Reconciled(difference)) => Ok(difference),
            Err(error) => Err(error),
        };
        if result.is_ok() {
            assert_eq!(initiator.receive(&[]), Err(ReconciliationError::Ended));
        }
        return Session {
            result,
            round_trips,
            bytes,
        };
    }
}

/// Two sets with some in common, each with some of its own.
fn two_sets(own: std::ops::Range<u64>) -> impl Strategy<Value = (BTreeSet<ChangeHash>, BTreeSet<ChangeHash>)> {
    (any::<u32>(), 0..300u64, own.clone(), own).prop_map(|(start, common, here, there)| {
        let start = u64::from(start);
        let middle = hashes(start..start + common);
        let first = hashes(start + common..start + common + here);
        let last = hashes(start + common + here..start + common + here + there);
        (&middle | &first, &middle | &last)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn the_difference_is_exact_whoever_begins((here, there) in two_sets(0..150), salt: u8) {
        prop_assert_eq!(reconcile(&here, &there, salt, patient()).result, Ok(difference(&here, &there)));
        prop_assert_eq!(reconcile(&there, &here, salt, patient()).result, Ok(difference(&there, &here)));
    }

    #[test]
    fn pieces_of_any_size_lead_to_the_same_difference((here, there) in two_sets(0..12), first in 1..40u16, piece in 1..40u16) {
        let limits = Limits { first_cells: first, answer_cells: piece, answers: u16::MAX, ..patient() };
        prop_assert_eq!(reconcile(&here, &there, 1, limits).result, Ok(difference(&here, &there)));
    }

    #[test]
    fn damaged_answers_never_lead_to_a_wrong_difference(
        (here, there) in two_sets(0..30),
        damaged_answer in 0..3u32,
        flips in prop::collection::vec((any::<Index>(), 0..8u32), 1..4),
        cut in prop::option::of(any::<Index>()),
    ) {
        let responder = set(&there);
        let session = run(&here, 1, patient(), |request, number| {
            let mut bytes = answer(&responder, request, &patient())?;
            if number == damaged_answer {
                for (place, bit) in &flips {
                    let place = place.index(bytes.len());
                    bytes[place] ^= 1 << bit;
                }
                if let Some(cut) = cut {
                    bytes.truncate(cut.index(bytes.len()));
                }
            }
            Ok(bytes)
        });
        if let Ok(found) = session.result {
            prop_assert_eq!(found, difference(&here, &there));
        }
    }

    #[test]
    fn damaged_requests_never_lead_to_a_wrong_difference(
        (here, there) in two_sets(0..30),
        flips in prop::collection::vec((0..REQUEST_BYTES, 0..8u32), 1..4),
    ) {
        let responder = set(&there);
        let session = run(&here, 1, patient(), |request, _| {
            let mut request = request.to_vec();
            for (place, bit) in &flips {
                request[*place] ^= 1 << bit;
            }
            answer(&responder, &request, &patient())
        });
        if let Ok(found) = session.result {
            prop_assert_eq!(found, difference(&here, &there));
        }
    }

    #[test]
    fn arbitrary_bytes_are_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), shaped: bool) {
        let here = hashes(0..9);
        let mut bytes = bytes;
        if shaped && bytes.len() >= 2 {
            // Past the first checks.
            bytes[..2].copy_from_slice(&[1, 2]);
        }
        prop_assert!(answer(&set(&here), &bytes, &patient()).is_err());
        let session = run(&here, 1, patient(), |_, _| Ok(bytes.clone()));
        prop_assert!(session.result.is_err());
    }

    #[test]
    fn cells_of_no_set_end_the_session(
        here in 0..40u64,
        answers in prop::collection::vec(prop::collection::vec((0..6u64, 0..3u8), 1..80), 1..6),
    ) {
        // Sound in every field, and made of sums of whole hashes with sound checksums, but in cells of the responder's
        // choice: the most that one who knows the salt can do to keep the other side busy.
        let here = hashes(0..here);
        let salt = Salt([1; 16]);
        let singles: Vec<Vec<u8>> = (0..6).map(|number| single_cell(&hash(1_000 + number), &salt)).collect();
        let session = run(&here, 1, patient(), |request, number| {
            let Some(cells) = answers.get(number as usize) else { return Err(ReconciliationError::Ended) };
            let asked = usize::from(u16::from_be_bytes([request[36], request[37]]));
            let cells = &cells[..cells.len().min(asked)];
            let mut bytes = vec![1, 2];
            bytes.extend([7; 32]);
            bytes.extend(0u32.to_be_bytes());
            bytes.extend(&request[34..36]);
            bytes.extend((cells.len() as u16).to_be_bytes());
            for (chosen, kind) in cells {
                match kind {
                    0 => bytes.extend([0; 40]),
                    _ => bytes.extend(&singles[*chosen as usize]),
                }
                bytes.push(0);
            }
            Ok(bytes)
        });
        prop_assert!(session.result.is_err());
    }
}

/// Sum and checksum of a cell that holds this hash alone: the only cell of a set with only this hash.
fn single_cell(hash: &ChangeHash, salt: &Salt) -> Vec<u8> {
    let request = Initiator::new(ChangeSet::default(), *salt, patient())
        .unwrap()
        .request();
    let answer = answer(&[*hash].into_iter().collect(), &request, &patient()).unwrap();
    answer[42..82].to_vec()
}

#[test]
fn equal_sets_cost_the_same_few_bytes_whatever_their_size() {
    for size in [0, 1, 5_000] {
        let both = hashes(0..size);
        let session = reconcile(&both, &both, 1, Limits::default());
        assert_eq!(session.result, Ok(Difference::default()));
        assert_eq!((session.round_trips, session.bytes), (1, REQUEST_BYTES + 42));
    }
}

#[test]
fn an_empty_set_and_a_small_one_find_each_other() {
    let (none, some) = (hashes(0..0), hashes(0..12));
    let session = reconcile(&none, &some, 1, Limits::default());
    assert_eq!(session.result, Ok(difference(&none, &some)));
    let session = reconcile(&some, &none, 1, Limits::default());
    assert_eq!(session.result, Ok(difference(&some, &none)));
}

#[test]
fn a_set_of_one_gives_up_a_large_one_after_one_answer() {
    let (one, many) = (hashes(0..1), hashes(0..100_000));
    for (here, there) in [(&one, &many), (&many, &one)] {
        let session = reconcile(here, there, 1, patient());
        // The first cell alone tells that they differ by 99,999 at least.
        let Err(ReconciliationError::TooDifferent { estimate }) = session.result else {
            panic!("{:?}", session.result)
        };
        assert!((99_999..=100_001).contains(&estimate), "{estimate}");
        assert_eq!(session.round_trips, 1);
        assert!(session.bytes < 2_000, "{} bytes", session.bytes);
    }
}

#[test]
fn a_set_of_one_finds_all_that_it_lacks_of_thousands() {
    let (one, many) = (hashes(0..1), hashes(0..5_000));
    let session = reconcile(&one, &many, 1, patient());
    assert_eq!(session.result, Ok(difference(&one, &many)));
    // With what costs less in mind, everything is exchanged instead.
    let session = reconcile(&one, &many, 1, Limits::default());
    assert!(matches!(session.result, Err(ReconciliationError::TooDifferent { .. })));
    assert_eq!(session.round_trips, 1);
}

#[test]
fn what_is_exchanged_grows_with_the_difference_and_not_with_the_sets() {
    let common = hashes(0..5_000);
    for own in [1, 10, 100, 1_000] {
        let here = &common | &hashes(100_000..100_000 + own / 2);
        let there = &common | &hashes(200_000..200_000 + own - own / 2);
        for salt in 0..4 {
            let session = reconcile(&here, &there, salt, Limits::default());
            assert_eq!(session.result, Ok(difference(&here, &there)));
            // Twice the cells that the paper needs for a few, and the first ones.
            let bound = REQUEST_BYTES * 4 + 42 * 4 + (32 + own as usize * 4) * 43;
            assert!(session.bytes <= bound, "{own} differ: {} bytes", session.bytes);
            assert!(
                session.round_trips <= 4,
                "{own} differ: {} round trips",
                session.round_trips
            );
        }
    }
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_bytes() {
    let (here, there) = (hashes(0..500), hashes(100..600));
    let there_set = set(&there);
    let mut initiator = Initiator::new(set(&here), Salt([1; 16]), patient()).unwrap();
    loop {
        let request = initiator.request();
        let lost = answer(&there_set, &request, &patient()).unwrap();
        assert_eq!(initiator.request(), request);
        assert_eq!(answer(&there_set, &request, &patient()), Ok(lost.clone()));
        if let Step::Reconciled(found) = initiator.receive(&lost).unwrap() {
            assert_eq!(found, difference(&here, &there));
            return;
        }
    }
}

#[test]
fn a_responder_whose_set_grows_meanwhile_is_asked_from_the_start() {
    let here = hashes(0..500);
    let sets = [hashes(100..600), hashes(100..601)];
    let session = run(&here, 1, patient(), |request, number| {
        answer(&set(&sets[usize::from(number > 0)]), request, &patient())
    });
    assert_eq!(session.result, Ok(difference(&here, &sets[1])));
}

#[test]
fn a_responder_whose_set_never_stays_ends_the_session() {
    let here = hashes(0..500);
    let limits = Limits {
        answer_cells: 32,
        ..patient()
    };
    let session = run(&here, 1, limits, |request, number| {
        answer(&set(&hashes(100..600 + u64::from(number))), request, &limits)
    });
    let limit = limits.answers;
    assert_eq!(session.result, Err(ReconciliationError::TooManyAnswers { limit }));
}

#[test]
fn a_hash_told_in_one_cell_and_not_in_its_others_is_no_loop() {
    // Taken out of its other cells it would be there again with the opposite sign, and so for ever.
    let salt = Salt([1; 16]);
    let single = single_cell(&hash(7), &salt);
    for place in 0..32 {
        let session = run(&hashes(0..0), 1, patient(), |_, _| {
            let mut bytes = vec![1, 2];
            bytes.extend([7; 32]);
            bytes.extend(1u32.to_be_bytes());
            bytes.extend([0, 0, 0, 32]);
            for number in 0..32u32 {
                bytes.extend(if number == place { single.clone() } else { vec![0; 40] });
                // The count as a deviation from what is expected of a set of one: 1 in the cell 0, else none.
                let count = u8::from(number == place);
                bytes.push(if number == 0 { 1 - count } else { count * 2 });
            }
            Ok(bytes)
        });
        assert_eq!(session.result, Err(ReconciliationError::Contradiction), "cell {place}");
    }
}

#[test]
fn a_responder_cannot_claim_to_have_what_it_does_not_know() {
    // It sends back as its own digest what the request says of the initiator's.
    let session = run(&hashes(0..9), 1, patient(), |request, _| {
        let mut bytes = vec![1, 2];
        bytes.extend(&request[18..34]);
        bytes.extend(&request[18..34]);
        bytes.extend(9u32.to_be_bytes());
        bytes.extend([0; 4]);
        Ok(bytes)
    });
    let fault = Fault::NoCells;
    assert_eq!(session.result, Err(ReconciliationError::Malformed { byte: 38, fault }));
}

#[test]
fn a_difference_that_does_not_lead_to_the_other_set_is_no_result() {
    // Sound cells, of a set without one of the changes that the digest counts; and a sound answer with another digest.
    let (here, there) = (hashes(0..9), hashes(1..12));
    let (whole, less) = (set(&there), set(&hashes(1..11)));
    let session = run(&here, 1, patient(), |request, _| {
        let mut bytes = answer(&less, request, &patient())?;
        let claimed = answer(&whole, request, &patient())?;
        bytes[2..34].copy_from_slice(&claimed[2..34]);
        Ok(bytes)
    });
    assert_eq!(session.result, Err(ReconciliationError::Unverified));
    let session = run(&here, 1, patient(), |request, _| {
        let mut bytes = answer(&whole, request, &patient())?;
        bytes[20] ^= 1;
        Ok(bytes)
    });
    assert_eq!(session.result, Err(ReconciliationError::Unverified));
}

#[test]
fn an_answer_under_another_salt_is_not_believed() {
    let (here, there) = (hashes(0..9), set(&hashes(1..10)));
    let session = run(&here, 1, patient(), |request, _| {
        let mut request = request.to_vec();
        request[2] ^= 1;
        answer(&there, &request, &patient())
    });
    assert!(session.result.is_err());
}

#[test]
fn limits_hold_on_both_sides() {
    let many = set(&hashes(0..11));
    let few = Limits {
        changes: 10,
        ..patient()
    };
    let refused = ReconciliationError::TooManyChanges { changes: 11, limit: 10 };
    let request = Initiator::new(ChangeSet::default(), Salt([1; 16]), patient())
        .unwrap()
        .request();
    assert_eq!(answer(&many, &request, &few), Err(refused.clone()));
    assert_eq!(
        Initiator::new(many.clone(), Salt([1; 16]), few).map(drop),
        Err(refused.clone())
    );
    let session = run(&hashes(0..0), 1, few, |request, _| answer(&many, request, &patient()));
    assert_eq!(session.result, Err(refused));

    // Cells past the session's last are not made, however many are asked for.
    let limits = Limits { cells: 40, ..patient() };
    let asked = |first: u16, count: u16| {
        let mut request = request.clone();
        request[34..36].copy_from_slice(&first.to_be_bytes());
        request[36..38].copy_from_slice(&count.to_be_bytes());
        answer(&many, &request, &limits).map(|answer| u16::from_be_bytes([answer[40], answer[41]]))
    };
    assert_eq!(asked(0, MAX_CELLS), Ok(40));
    assert_eq!(asked(39, 2), Ok(1));
    assert!(asked(40, 1).is_err());

    let session = reconcile(&hashes(0..100), &hashes(100..200), 1, limits);
    assert!(matches!(session.result, Err(ReconciliationError::TooDifferent { .. })));
}

#[test]
fn errors_are_told_in_vietnamese_too() {
    let error = ReconciliationError::Malformed {
        byte: 38,
        fault: Fault::NoCells,
    };
    assert_eq!(
        error.to_string(),
        "the message is malformed at byte 38: the sets differ, but the answer brings no cells"
    );
    assert_eq!(
        error.vietnamese(),
        "gói tin sai cấu trúc tại byte 38: hai bên khác nhau mà trả lời không có ô nào"
    );
}
