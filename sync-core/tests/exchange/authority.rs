//! What an author may write, and when: refused for good, set aside for a person, or taken.

use std::collections::{BTreeMap, BTreeSet};

use survey_forms::answers::{AnswerPath, AnswersMut as _};
use sync_core::device::{DeviceKey, DevicePublicKey};
use sync_core::exchange::delivery::{Author, Authors, Delivery, Taken, written_at};
use sync_core::exchange::intake::{Frame, HamletKey, RoundState, Stored};
use sync_core::exchange::{Admitted, Refusal, RefusalReason};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Response, ResponseError};
use uuid::Uuid;

const HAMLET: HamletKey = HamletKey(4);
/// When the tests' changes are written, in seconds since 1970-01-01T00:00:00Z.
const WRITTEN: i64 = 1_760_000_000;

fn round() -> RoundId {
    RoundId(Uuid::from_u128(7))
}

fn key() -> DeviceKey {
    DeviceKey::from_secret(&[1; 32])
}

fn change(unit: &str) -> Admitted {
    let response = ResponseId::of(round(), unit);
    let path = AnswerPath::top("fibre_available");
    let edited = Response::new(response)
        .unwrap()
        .edit::<_, ResponseError>(&key().actor(), WRITTEN, |edit| edit.put_answer(&path, &"yes".into()));
    Admitted {
        response,
        round: round(),
        unit: unit.to_owned(),
        device: key().public(),
        attestation: 0,
        change: edited.unwrap().1.unwrap(),
    }
}

fn frame(state: RoundState) -> Frame {
    Frame {
        rounds: [(round(), state)].into(),
        units: [((round(), "A1".to_owned()), HAMLET)].into(),
        ..Frame::default()
    }
}

fn author(withdrawn_at: Option<i64>, clock_ahead: i64) -> Author {
    Author {
        hamlets: [(HAMLET, withdrawn_at)].into(),
        clock_ahead,
    }
}

fn enrolled(author: Result<Author, RefusalReason>) -> Authors {
    Authors::enrolled(BTreeMap::<DevicePublicKey, _>::from([(key().public(), author)]))
}

/// What becomes of one change, and the reason for which it is set aside.
fn deliver(admitted: Admitted, frame: &Frame, authors: &Authors, stored: Stored) -> (Taken, Option<RefusalReason>) {
    let stored = BTreeMap::from([(admitted.response, stored)]);
    let planned = Delivery::new(vec![Ok(admitted)], Vec::new())
        .sort(frame, authors)
        .plan(&stored);
    let reason = planned.plan().0.set_aside.first().map(|set_aside| set_aside.reason);
    (planned.written(Vec::new()), reason)
}

fn fate(admitted: Admitted, frame: &Frame, authors: &Authors) -> (Option<RefusalReason>, Option<RefusalReason>) {
    let (taken, set_aside) = deliver(admitted, frame, authors, Stored::default());
    (taken.refused.first().map(|refusal| refusal.reason), set_aside)
}

#[test]
fn what_a_person_can_decide_about_is_set_aside() {
    use RefusalReason::{OutsideScope, RevokedDevice, RoundClosed, UnknownUnit};
    let (open, closed) = (frame(RoundState::Open), frame(RoundState::Closed));
    let may = enrolled(Ok(author(None, 0)));
    let elsewhere = enrolled(Ok(Author::default()));
    let revoked = enrolled(Err(RevokedDevice));
    assert_eq!(fate(change("A1"), &open, &may), (None, None));
    assert_eq!(
        fate(change("A1"), &open, &elsewhere),
        (Some(OutsideScope), Some(OutsideScope))
    );
    assert_eq!(
        fate(change("A1"), &open, &revoked),
        (Some(RevokedDevice), Some(RevokedDevice))
    );
    assert_eq!(
        fate(change("A1"), &closed, &may),
        (Some(RoundClosed), Some(RoundClosed))
    );
    assert_eq!(fate(change("Z9"), &open, &may), (Some(UnknownUnit), Some(UnknownUnit)));
}

#[test]
fn what_nobody_can_decide_about_is_not() {
    let revoked = enrolled(Err(RefusalReason::RevokedDevice));
    let mut frame = frame(RoundState::Open);
    let refused = |frame: &Frame, authors: &Authors| fate(change("A1"), frame, authors);
    frame.discarded.insert(change("A1").change.hash());
    assert_eq!(refused(&frame, &revoked), (Some(RefusalReason::Discarded), None));
    frame.erased.insert((round(), "A1".to_owned()));
    assert_eq!(refused(&frame, &revoked), (Some(RefusalReason::Erased), None));
    assert_eq!(
        refused(&Frame::default(), &revoked),
        (Some(RefusalReason::UnknownRound), None)
    );
    let strangers = Authors::enrolled(BTreeMap::new());
    assert_eq!(refused(&frame, &strangers), (Some(RefusalReason::UnknownDevice), None));
    let another = Authors::one(
        DeviceKey::from_secret(&[2; 32]).public(),
        &BTreeSet::new(),
        Ok(author(None, 0)),
    );
    assert_eq!(refused(&frame, &another), (Some(RefusalReason::ForeignAuthor), None));
}

#[test]
fn a_withdrawn_hamlet_takes_what_was_written_before_by_the_keepers_clock() {
    let admitted = change("A1");
    for ahead in [0, 40_000, -WRITTEN * 1_000, 365 * 86_400_000] {
        let truly = WRITTEN * 1_000 - ahead;
        assert_eq!(written_at(&admitted.change, ahead), truly);
        assert!(author(Some(truly + 1), ahead).may_write(HAMLET, &admitted.change));
        assert!(!author(Some(truly), ahead).may_write(HAMLET, &admitted.change));
    }
    // No clock, however wrong, can be counted over the end of numbers.
    for ahead in [i64::MIN, i64::MAX] {
        assert_eq!(author(Some(0), ahead).may_write(HAMLET, &admitted.change), ahead > 0);
    }
    assert_eq!(author(Some(5), 0).in_force(), BTreeSet::new());
    assert_eq!(author(None, 0).in_force(), BTreeSet::from([HAMLET]));
}

#[test]
fn a_release_overrules_scope_and_round_and_nothing_else() {
    let admitted = change("A1");
    let hash = admitted.change.hash();
    let releasing = enrolled(Err(RefusalReason::RevokedDevice)).releasing([hash].into());
    assert_eq!(
        fate(admitted.clone(), &frame(RoundState::Closed), &releasing),
        (None, None)
    );
    // Not another of the same author.
    let other = change("Z9");
    let unknown = enrolled(Err(RefusalReason::RevokedDevice)).releasing([other.change.hash()].into());
    let (reason, _) = fate(admitted.clone(), &frame(RoundState::Open), &unknown);
    assert_eq!(reason, Some(RefusalReason::RevokedDevice));
    let (reason, _) = fate(other, &frame(RoundState::Open), &unknown);
    assert_eq!(reason, Some(RefusalReason::UnknownUnit));
    let mut erased = frame(RoundState::Open);
    erased.erased.insert((round(), "A1".to_owned()));
    assert_eq!(fate(admitted, &erased, &releasing), (Some(RefusalReason::Erased), None));
}

#[test]
fn what_is_there_already_is_not_refused_when_its_author_may_write_no_more() {
    let revoked = enrolled(Err(RefusalReason::RevokedDevice));
    let frame = frame(RoundState::Open);
    let admitted = change("A1");
    let logged = Stored {
        logged: vec![admitted.change.clone()],
        ..Stored::default()
    };
    let (taken, set_aside) = deliver(admitted.clone(), &frame, &revoked, logged);
    assert_eq!((taken.accepted, taken.refused, set_aside), (1, vec![], None));
    let waiting = Stored {
        waiting: vec![admitted.change.clone()],
        ..Stored::default()
    };
    let (taken, set_aside) = deliver(admitted, &frame, &revoked, waiting);
    assert_eq!((taken.accepted, taken.waiting, set_aside), (0, vec![0], None));
}

#[test]
fn the_phone_is_told_what_the_writer_found() {
    let authors = enrolled(Ok(Author::default()));
    let planned = Delivery::new(vec![Ok(change("A1"))], Vec::new())
        .sort(&frame(RoundState::Open), &authors)
        .plan(&BTreeMap::new());
    let kept = Refusal {
        quarantined: true,
        ..Refusal::new(0, RefusalReason::OutsideScope)
    };
    let taken = planned.written(vec![kept.clone()]);
    assert_eq!((taken.accepted, taken.refused), (0, vec![kept]));
}
