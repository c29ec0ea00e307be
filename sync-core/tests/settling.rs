//! Deciding for the answer that wins already is an answer too.

#![allow(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use sync_core::Change;
use sync_core::device::DeviceKey;
use sync_core::exchange::{Client, Limits, OutgoingChange, admit};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Edit, Response, ResponseError};
use uuid::Uuid;

fn write(response: &mut Response, device: u8, time: i64, question: &str, value: Option<i64>) -> Change {
    let actor = DeviceKey::from_secret(&[device; 32]).actor();
    let path = AnswerPath::top(question);
    let ((), change) = response
        .edit::<_, ResponseError>(&actor, time, |edit| match value {
            Some(value) => edit.put_answer(&path, &Value::Integer(value)),
            None => edit.clear_answer(&path),
        })
        .unwrap();
    change.unwrap()
}

/// Found by the property in `convergence.rs`: one phone clears a question for which the clearing wins already, while
/// another, which knows of less, answers it.
#[test]
fn an_answer_against_a_clearing_is_a_conflict_in_whatever_order_the_changes_come() {
    let id = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001");
    let mut zero = Response::new(id).unwrap();
    let mut one = zero.clone();
    let first = write(&mut zero, 1, 1, "age", Some(0));
    let second = write(&mut one, 2, 2, "age", Some(0));
    let third = write(&mut one, 2, 3, "age", None);
    let mut three = one.clone();
    one.apply([first.clone()]).unwrap();
    let fourth = write(&mut three, 4, 7, "age", Some(0));
    let fifth = write(&mut one, 2, 8, "age", None);

    let changes = [first, second, third, fourth, fifth];
    for turn in 0..changes.len() {
        for backwards in [false, true] {
            let mut order = changes.to_vec();
            order.rotate_left(turn);
            if backwards {
                order.reverse();
            }
            let mut response = Response::new(id).unwrap();
            response.apply(order).unwrap();
            let conflicts = response.read().conflicts;
            assert_eq!(conflicts.len(), 1, "turn {turn}, backwards {backwards}");
            assert_eq!(conflicts[0].values().len(), 2);
        }
    }
}

#[test]
fn settling_for_the_winner_is_a_change_that_a_server_takes() {
    let round = RoundId(Uuid::nil());
    let id = ResponseId::of(round, "28249-01-0001");
    let mut one = Response::new(id).unwrap();
    let mut other = one.clone();
    write(&mut one, 1, 1, "age", Some(1));
    write(&mut other, 2, 1, "age", Some(2));
    one.merge(&other).unwrap();

    let key = DeviceKey::from_secret(&[1; 32]);
    let conflict = one.read().conflicts.remove(0);
    let winner = conflict.values().remove(0);
    let settle = |edit: &mut Edit<'_>| edit.settle(&conflict.path, winner.as_ref());
    let ((), change) = one.edit::<_, ResponseError>(&key.actor(), 2, settle).unwrap();
    assert_eq!(one.read().conflicts, []);
    assert_eq!(one.read().answers.answer(&conflict.path), winner);

    assert_is_taken(round, &key, change.unwrap());
}

/// A server takes the change.
fn assert_is_taken(round: RoundId, key: &DeviceKey, change: Change) {
    let mut client = Client::default();
    client.enqueue(OutgoingChange {
        round,
        unit: "28249-01-0001".to_owned(),
        change,
    });
    let verdicts = admit(&client.request(key, 0, 1 << 20), &Limits::default()).unwrap();
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
}

/// Found by the simulation: two people gave the same answer, which is no conflict but two values, and a third decides for
/// it.
#[test]
fn settling_where_people_agree_is_a_change_that_a_server_takes() {
    let round = RoundId(Uuid::nil());
    let mut one = Response::new(ResponseId::of(round, "28249-01-0001")).unwrap();
    let mut other = one.clone();
    write(&mut one, 1, 1, "age", Some(1));
    write(&mut other, 2, 1, "age", Some(1));
    one.merge(&other).unwrap();
    let key = DeviceKey::from_secret(&[3; 32]);
    let settle = |edit: &mut Edit<'_>| edit.settle(&AnswerPath::top("age"), Some(&Value::Integer(1)));
    let ((), change) = one.edit::<_, ResponseError>(&key.actor(), 2, settle).unwrap();
    assert_is_taken(round, &key, change.unwrap());
}

/// One person ticked or removed, another undid what both had seen: what is shown is not always what wins.
#[test]
fn taking_back_what_others_do_not_know_of_is_a_change_that_a_server_takes() {
    let round = RoundId(Uuid::nil());
    let ticks = |names: &[&str]| Value::Choices(names.iter().map(|name| (*name).to_owned()).collect());
    let path = AnswerPath::top("goods");
    let member = InstanceId::new("m1");
    // Whoever's value wins, so that both cases are met.
    for (first, second) in [(1, 2), (2, 1)] {
        let edit = |response: &mut Response, device: u8, edit: &dyn Fn(&mut Edit<'_>) -> Result<(), ResponseError>| {
            let actor = DeviceKey::from_secret(&[device; 32]).actor();
            response
                .edit::<_, ResponseError>(&actor, 1, |open| edit(open))
                .unwrap()
                .1
                .unwrap()
        };
        let mut one = Response::new(ResponseId::of(round, "28249-01-0001")).unwrap();
        edit(&mut one, first, &|edit| {
            edit.put_answer(&path, &ticks(&["tv"]))?;
            edit.add_instance("member", None, &member)
        });
        let mut other = one.clone();
        edit(&mut one, first, &|edit| {
            edit.put_answer(&path, &ticks(&[]))?;
            edit.remove_instance("member", &member)
        });
        edit(&mut one, first, &|edit| {
            edit.put_answer(&path, &ticks(&["tv"]))?;
            edit.add_instance("member", None, &member)
        });
        edit(&mut other, second, &|edit| {
            edit.put_answer(&path, &ticks(&[]))?;
            edit.remove_instance("member", &member)
        });
        one.merge(&other).unwrap();
        let key = DeviceKey::from_secret(&[3; 32]);
        let untick = edit(&mut one.clone(), 3, &|edit| edit.put_answer(&path, &ticks(&[])));
        assert_is_taken(round, &key, untick);
        let bring_back = edit(&mut one, 3, &|edit| edit.add_instance("member", None, &member));
        assert_is_taken(round, &key, bring_back);
        assert_eq!(
            one.read().answers.instances("member", None),
            std::slice::from_ref(&member)
        );
    }
}
