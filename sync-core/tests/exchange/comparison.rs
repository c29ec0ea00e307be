//! A hub compares its log with upstream's: only the difference travels, and both come to have everything.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_bytes::ByteBuf;
use sync_core::ChangeHash;
use sync_core::device::AttestationSignature;
use sync_core::exchange::forwarding::{Comparison, FORWARDING_VERSION, ForwardRequest, ForwardResponse, Piece};
use sync_core::exchange::reconciliation::{self, ChangeSet, ReconciliationError, Salt};
use sync_core::exchange::{CarriedAttestation, CarriedBuilder, CarriedChanges, Cursor, LogMark, Reconciliation};

use super::{forgery, packing};

/// A change of the world, and which of the two has it.
struct Known {
    hash: ChangeHash,
    bytes: ByteBuf,
    here: bool,
    there: bool,
}

/// So many changes fit into a message.
const FITTING: usize = 3;
const HERE: Cursor = Cursor(40, LogMark([1; 8]));
const THERE: Cursor = Cursor(50, LogMark([2; 8]));

/// As many of these as fit, and whether some do not.
fn carried(changes: &[&Known]) -> (CarriedChanges, bool) {
    let mut builder = CarriedBuilder::default();
    for known in changes.iter().take(FITTING) {
        let attestation = CarriedAttestation {
            device: forgery::device(1).public(),
            hashes: ByteBuf::from(known.hash.0.to_vec()),
            signature: AttestationSignature([7; 64]),
        };
        builder.add(forgery::ROUND, "unit", &known.bytes, &attestation);
    }
    (builder.finish(), changes.len() > FITTING)
}

/// Changes of as many units, held as the flags say.
fn world(flags: &[(bool, bool)]) -> Vec<Known> {
    let numbered = flags.iter().enumerate();
    numbered
        .map(|(number, (here, there))| {
            let bytes = packing::long_texts(&format!("unit {number}"), 5).changes.remove(0);
            Known {
                hash: sync_core::Change::try_from(bytes.as_slice()).unwrap().hash(),
                bytes,
                here: *here,
                there: *there,
            }
        })
        .collect()
}

fn nothing() -> ForwardResponse {
    ForwardResponse {
        version: FORWARDING_VERSION,
        server_time: 0,
        waiting: Vec::new(),
        refused: Vec::new(),
        roster: None,
        carried: CarriedChanges::default(),
        erased: Vec::new(),
        cursor: None,
        acknowledged: None,
        reconciliation: None,
        unknown_cursor: false,
        set_back: false,
        more: false,
    }
}

/// What upstream answers; it takes what it is brought.
fn answer(world: &mut [Known], request: &ForwardRequest) -> ForwardResponse {
    let brought: BTreeSet<ChangeHash> = request.carried.hashes().flatten().collect();
    for known in world.iter_mut().filter(|known| brought.contains(&known.hash)) {
        known.there = true;
    }
    match request.reconciliation.as_ref().unwrap() {
        Reconciliation::Compare(asked) => {
            let set: ChangeSet = world
                .iter()
                .filter(|known| known.there)
                .map(|known| known.hash)
                .collect();
            let cells = reconciliation::answer(&set, asked, &reconciliation::Limits::default()).unwrap();
            ForwardResponse {
                reconciliation: Some(ByteBuf::from(cells)),
                cursor: Some(THERE),
                ..nothing()
            }
        }
        Reconciliation::Fetch(hashes) => {
            let wanted: BTreeSet<ChangeHash> = hashes.iter().map(|hash| ChangeHash(**hash)).collect();
            let found: Vec<&Known> = world
                .iter()
                .filter(|known| known.there && wanted.contains(&known.hash))
                .collect();
            let (carried, more) = carried(&found);
            ForwardResponse {
                carried,
                more,
                ..nothing()
            }
        }
    }
}

fn comparison(world: &[Known]) -> Comparison {
    let here = world
        .iter()
        .filter(|known| known.here)
        .map(|known| known.hash)
        .collect();
    Comparison::new(here, Some(HERE), Salt([5; 16]), reconciliation::Limits::default()).unwrap()
}

/// The changes that travelled each way.
fn run(world: &mut [Known]) -> Result<(usize, usize), ReconciliationError> {
    let mut comparison = comparison(world);
    let (mut up, mut down) = (0, 0);
    for _ in 0..200 {
        let wanted: BTreeSet<ChangeHash> = comparison.to_bring().iter().copied().collect();
        let here: Vec<&Known> = world
            .iter()
            .filter(|known| known.here && wanted.contains(&known.hash))
            .collect();
        let (changes, more) = carried(&here);
        let piece = Piece {
            carried: changes,
            more,
            ..Piece::default()
        };
        let request = comparison.request(piece, None, None, 0);
        assert!(request.restoring && request.forwarded.is_none());
        let brought: ChangeSet = request.carried.hashes().flatten().collect();
        up += brought.len();
        let answer = answer(world, &request);
        let came: BTreeSet<ChangeHash> = answer.carried.hashes().flatten().collect();
        down += came.len();
        for known in world.iter_mut().filter(|known| came.contains(&known.hash)) {
            known.here = true;
        }
        if let Some(state) = comparison.after(&brought, more, &answer)? {
            assert_eq!((state.cursor, state.forwarded), (Some(THERE), Some(HERE)));
            // Upstream knows by now how far the hub's log was brought, or it would take the hub for one that was set back.
            assert_eq!(request.until, Some(HERE));
            assert!(!state.everything && !state.restoring);
            return Ok((up, down));
        }
    }
    panic!("the comparison does not end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn both_come_to_have_everything_and_only_the_difference_travels(
        common in 100..160usize,
        flags in prop::collection::vec(any::<bool>(), 0..12),
    ) {
        let mut held = vec![(true, true); common];
        held.extend(flags.iter().map(|here| (*here, !*here)));
        let mut world = world(&held);
        let only_here = flags.iter().filter(|here| **here).count();
        prop_assert_eq!(run(&mut world), Ok((only_here, flags.len() - only_here)));
        prop_assert!(world.iter().all(|known| known.here && known.there));
    }
}

#[test]
fn an_upstream_that_does_not_compare_is_brought_everything() {
    let world = world(&[(true, false)]);
    let ended = comparison(&world).after(&ChangeSet::default(), false, &nothing());
    assert_eq!(ended, Err(ReconciliationError::NotCompared));
}

#[test]
fn what_was_erased_in_between_is_waited_for_by_nobody() {
    let mut world = world(&[(true, true), (true, false), (false, true)]);
    let mut comparison = comparison(&world);
    loop {
        let request = comparison.request(Piece::default(), None, None, 0);
        if matches!(request.reconciliation, Some(Reconciliation::Fetch(_))) {
            break;
        }
        let answer = answer(&mut world, &request);
        assert_eq!(comparison.after(&ChangeSet::default(), false, &answer), Ok(None));
    }
    assert_eq!(comparison.to_bring(), [world[1].hash]);
    // Neither side finds it any more, and upstream even says that more follows.
    let empty = ForwardResponse {
        more: true,
        ..nothing()
    };
    let state = comparison.after(&ChangeSet::default(), false, &empty).unwrap();
    // It may as well be lost, so nothing counts as read.
    assert_eq!(state.map(|state| state.everything), Some(true));
}

#[test]
fn an_upstream_that_lost_what_it_had_compared_is_not_believed_to_be_read() {
    let mut world = world(&[(true, true), (false, true)]);
    let mut comparison = comparison(&world);
    let state = loop {
        let request = comparison.request(Piece::default(), None, None, 0);
        if matches!(request.reconciliation, Some(Reconciliation::Fetch(_))) {
            world[1].there = false;
        }
        let answer = answer(&mut world, &request);
        if let Some(state) = comparison.after(&ChangeSet::default(), false, &answer).unwrap() {
            break state;
        }
    };
    assert!(state.everything && state.cursor.is_none() && state.forwarded.is_none());
}

#[test]
fn what_was_brought_has_a_mark_by_which_its_loss_is_noticed() {
    for is_lost in [false, true] {
        let mut world = world(&[(true, false), (true, true)]);
        let mut comparison = comparison(&world);
        let request = loop {
            let request = comparison.request(Piece::default(), None, None, 0);
            if matches!(request.reconciliation, Some(Reconciliation::Fetch(_))) {
                break request;
            }
            let answer = answer(&mut world, &request);
            assert_eq!(comparison.after(&ChangeSet::default(), false, &answer), Ok(None));
        };
        assert_eq!(request.acknowledged, Some(THERE));
        let brought: ChangeSet = [world[0].hash].into_iter().collect();
        let logged = Cursor(51, LogMark([3; 8]));
        let answer = ForwardResponse {
            acknowledged: Some(logged),
            unknown_cursor: is_lost,
            ..nothing()
        };
        let state = comparison.after(&brought, false, &answer).unwrap().unwrap();
        // Upstream was set back since it had compared: then nothing counts as brought or read.
        assert_eq!(state.everything, is_lost);
        assert_eq!(state.acknowledged, (!is_lost).then_some(logged));
        assert_eq!(state.forwarded, (!is_lost).then_some(HERE));
    }
}
