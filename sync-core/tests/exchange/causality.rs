//! Changes that a device signed and that cannot be: they claim a past that is not theirs. Each is left out, whether it
//! comes early or in time, and takes no honest change with it.

use automerge::ExpandedChange;
use automerge::legacy::{ObjectId, OpId};
use survey_forms::answers::{AnswerPath, Answers, AnswersMut, InstanceId};
use sync_core::exchange::RefusalReason;
use sync_core::exchange::intake::{Stored, released};
use sync_core::response::{Misfit, Response, ResponseError};
use sync_core::{Change, ChangeHash};

use crate::forgery::{UNIT, answer, change_chunk, columns, device, request_of_bytes, response_id};

/// An honest change and one that builds on it, which somebody rewrote.
fn forged(rewrite: impl Fn(&mut ExpandedChange)) -> (Change, Change) {
    let honest = answer(&device(1), UNIT, "honest");
    let mut response = Response::with_changes(response_id(), [honest.clone()]).unwrap();
    let edited = response.edit(&device(2).actor(), 1_760_000_000, |edit| {
        edit.put_answer(&AnswerPath::top("note"), &"later".into())
    });
    let mut change = edited.unwrap().1.unwrap().decode();
    rewrite(&mut change);
    change.hash = None;
    (honest, change.into())
}

/// Whatever the order in which they come, the honest change is there and the forged one is not.
fn assert_left_out(what: &str, (honest, forged): &(Change, Change), expected: impl Fn(&Misfit) -> bool) {
    for order in [[honest, forged], [forged, honest]] {
        let mut one_by_one = Response::new(response_id()).unwrap();
        let outcomes = order.map(|change| one_by_one.apply([change.clone()]));
        let mut together = Response::new(response_id()).unwrap();
        let outcome = together.apply(order.map(Clone::clone));
        for error in outcomes.into_iter().chain([outcome]).filter_map(Result::err) {
            match error {
                ResponseError::Misfit { change, ref misfit, .. } => {
                    assert_eq!(change, forged.hash(), "{what}: {error}");
                    assert!(expected(misfit), "{what}: {error}");
                    assert!(!misfit.vietnamese().is_empty());
                }
                other => panic!("{what}: {other}"),
            }
        }
        for mut response in [one_by_one, together] {
            assert!(response.has(&honest.hash()), "{what}");
            assert!(
                !response.has(&forged.hash()) && !response.awaits(&forged.hash()),
                "{what}"
            );
            assert_eq!(
                response.read().answers.answer(&AnswerPath::top("note")),
                Some("honest".into()),
                "{what}"
            );
            // The next in line can write as if nothing had been.
            let edited = response.edit(&device(2).actor(), 1, |edit| {
                edit.put_answer(&AnswerPath::top("note"), &"next".into())
            });
            assert_eq!(
                edited.unwrap().1.unwrap().start_op(),
                honest.max_op().wrapping_add(1).try_into().unwrap()
            );
        }
    }
}

#[test]
fn an_honest_successor_is_taken_in_any_order() {
    let (honest, successor) = forged(|_| {});
    for order in [[&honest, &successor], [&successor, &honest]] {
        let mut response = Response::new(response_id()).unwrap();
        for change in order {
            response.apply([change.clone()]).unwrap();
        }
        assert!(response.has(&successor.hash()) && !response.awaits(&successor.hash()));
        assert_eq!(
            response.read().answers.answer(&AnswerPath::top("note")),
            Some("later".into())
        );
    }
    let mut response = Response::new(response_id()).unwrap();
    response.apply([successor.clone()]).unwrap();
    assert!(response.awaits(&successor.hash()) && !response.has(&successor.hash()));
}

#[test]
fn sequence_numbers_follow_one_another() {
    for sequence in [0, 2, 5, 1 << 33, u64::MAX] {
        let change = forged(|change| change.seq = sequence);
        assert_left_out(&format!("sequence number {sequence}"), &change, |misfit| {
            *misfit
                == Misfit::SequenceNumber {
                    found: sequence,
                    expected: 1,
                }
        });
    }
}

#[test]
fn operation_numbers_follow_one_another() {
    for start in [1, 4, 6, 1 << 20, u64::from(u32::MAX)] {
        let change = forged(|change| change.start_op = start.try_into().unwrap());
        assert_left_out(&format!("start at {start}"), &change, |misfit| {
            *misfit
                == Misfit::OperationNumber {
                    found: start,
                    expected: 5,
                }
        });
    }
    // Numbers that Automerge cannot hold are not even read.
    for start in [1 << 33, u64::MAX] {
        let (bytes, hash) = change_chunk(&device(1), start, &columns(2, "note", 1, 0));
        let verdicts = sync_core::exchange::admit(
            &request_of_bytes(&device(1), vec![bytes], &[hash]),
            &sync_core::exchange::Limits::default(),
        );
        assert_eq!(verdicts.unwrap().remove(0).map(drop), Err(RefusalReason::Malformed));
    }
}

#[test]
fn objects_are_made_before_they_are_written_into() {
    let into = |counter: u64, author: u8| {
        forged(move |change| {
            for operation in &mut change.operations {
                operation.obj = ObjectId::Id(OpId::new(counter, &device(author).actor()));
            }
        })
    };
    for (what, counter, author) in [
        ("a member that its author never made", 9_999, 2),
        ("the operation itself", 5, 2),
        ("an operation that made a scalar", 4, 1),
        ("a later operation of another", 5, 1),
    ] {
        assert_left_out(what, &into(counter, author), |misfit| {
            matches!(misfit, Misfit::UnknownOperation { .. })
        });
    }
    assert_left_out("a member of an author whom nobody knows", &into(4, 3), |misfit| {
        *misfit == Misfit::UnknownAuthor(device(3).actor())
    });
}

#[test]
fn what_a_change_names_is_part_of_its_past() {
    let nothing = forged(|change| change.deps.clear());
    assert_left_out("no dependencies", &nothing, |misfit| *misfit == Misfit::NoPast);

    // A member that exists, but of which the change has not seen the making.
    let mut maker = Response::new(response_id()).unwrap();
    let member = InstanceId::new("m1");
    let made = maker
        .edit(&device(1).actor(), 1, |edit| {
            edit.add_instance("members", None, &member)
        })
        .unwrap()
        .1
        .unwrap();
    let written = maker
        .edit(&device(2).actor(), 1, |edit| {
            edit.put_answer(&AnswerPath::within(&member, "age"), &7.into())
        })
        .unwrap()
        .1
        .unwrap();
    let mut blind = written.decode();
    blind.deps = vec![sync_core::response::genesis::hash(response_id()).unwrap()];
    blind.start_op = 4.try_into().unwrap();
    blind.hash = None;
    let blind = Change::from(blind);
    let mut response = Response::new(response_id()).unwrap();
    response.apply([made]).unwrap();
    assert!(matches!(
        response.apply([blind]),
        Err(ResponseError::Misfit {
            misfit: Misfit::UnknownAuthor(_),
            ..
        })
    ));
    assert!(response.apply([written]).is_ok());
}

#[test]
fn nothing_is_replaced_unseen() {
    for (what, counter, author) in [
        ("a later operation of another", 5, 1),
        ("the operation itself", 5, 2),
        ("an operation that nobody wrote", 77, 1),
    ] {
        let change = forged(move |change| {
            for operation in &mut change.operations {
                operation.pred = vec![OpId::new(counter, &device(author).actor())].into();
            }
        });
        assert_left_out(what, &change, |misfit| {
            matches!(misfit, Misfit::UnknownOperation { .. })
        });
    }
}

#[test]
fn a_long_history_in_the_worst_order_is_taken() {
    let mut response = Response::new(response_id()).unwrap();
    for number in 0..1_500 {
        let edited = response.edit(&device(1).actor(), number, |edit| {
            edit.put_answer(&AnswerPath::top("note"), &number.into())
        });
        assert!(edited.unwrap().1.is_some());
    }
    let mut changes = response.changes();
    changes.reverse();
    let restored = Response::with_changes(response_id(), changes).unwrap();
    assert_eq!(restored.heads(), response.heads());
    let again = Response::restored(response_id(), restored.changes()).unwrap();
    assert_eq!(again.heads(), response.heads());
    let last: Vec<ChangeHash> = restored.changes().iter().rev().take(1).map(Change::hash).collect();
    assert_eq!(last, restored.heads());
}

/// Two requests at once bring two changes under one number, one of them too early: what waits is told from what can never be.
#[test]
fn what_waited_and_lost_its_number_is_contradictory() {
    let first = answer(&device(1), UNIT, "first");
    let mut response = Response::with_changes(response_id(), [first.clone()]).unwrap();
    let mut copy = Response::with_changes(response_id(), [first.clone()]).unwrap();
    let later = |response: &mut Response, text: &str| {
        let edited = response.edit(&device(1).actor(), 1_760_000_000, |edit| {
            edit.put_answer(&AnswerPath::top("note"), &text.into())
        });
        edited.unwrap().1.unwrap()
    };
    let (waiting, dependent) = (later(&mut response, "waited"), later(&mut response, "on top"));
    let logged = later(&mut copy, "came first");
    let stored = |logged: &[&Change]| Stored {
        logged: logged.iter().copied().cloned().collect(),
        waiting: vec![dependent.clone(), waiting.clone()],
    };
    let hashes = |changes: &[Change]| changes.iter().map(Change::hash).collect::<Vec<_>>();
    let early = released(response_id(), stored(&[])).unwrap();
    assert!(early.log.is_empty() && early.contradictory.is_empty());
    let in_time = released(response_id(), stored(&[&first])).unwrap();
    assert_eq!(hashes(&in_time.log), [waiting.hash(), dependent.hash()]);
    assert!(in_time.contradictory.is_empty());
    let late = released(response_id(), stored(&[&first, &logged])).unwrap();
    assert!(late.log.is_empty());
    // What builds on it goes on waiting for it.
    assert_eq!(hashes(&late.contradictory), [waiting.hash()]);
}
