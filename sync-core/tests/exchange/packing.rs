//! Packed changes: every byte comes back, whatever the bytes are; what is no packed form is an error.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_bytes::ByteBuf;
use survey_forms::answers::{AnswerPath, AnswersMut as _, Value};
use sync_core::Change;
use sync_core::device::DeviceKey;
use sync_core::exchange::forwarding::{ForwardRequest, ForwardingState, Piece};
use sync_core::exchange::packing::{Form, PackingError, pack, unpack};
use sync_core::exchange::wire::{self, Message as _};
use sync_core::exchange::{CarriedAttestation, CarriedBuilder, Cursor, Limits, LogMark, ResponseChanges};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Response, ResponseError, Visit};
use uuid::Uuid;

use super::forgery;

const UNITS: [&str; 4] = ["28249-01-0001", "28249-01-0002", "28249-02-0001", "ấp Bình Đông"];
const QUESTIONS: [&str; 4] = ["fibre_available", "smartphone", "note", "needs"];

#[derive(Debug, Clone)]
enum Step {
    Answer {
        replica: usize,
        member: Option<u8>,
        question: usize,
        value: Option<Value>,
    },
    Add {
        replica: usize,
        member: u8,
    },
    Remove {
        replica: usize,
        member: u8,
    },
    Visit {
        replica: usize,
        number: u8,
    },
    Merge {
        from: usize,
        into: usize,
    },
}

/// Devices, each with a replica of one response.
const REPLICAS: usize = 3;

fn value() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        prop::sample::select(vec!["yes", "no", "told"]).prop_map(|text| Some(text.into())),
        any::<String>().prop_map(|text| Some(Value::Text(text))),
        any::<i64>().prop_map(|number| Some(Value::Integer(number))),
        (-1e9..1e9).prop_map(|number| Some(Value::Decimal(number))),
        prop::collection::btree_set("[a-c]", 0..3).prop_map(|choices| Some(Value::Choices(choices))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let replica = 0..REPLICAS;
    let member = 0..3u8;
    prop_oneof![
        5 => (replica.clone(), prop::option::of(member.clone()), 0..QUESTIONS.len(), value())
            .prop_map(|(replica, member, question, value)| Step::Answer { replica, member, question, value }),
        2 => (replica.clone(), member.clone()).prop_map(|(replica, member)| Step::Add { replica, member }),
        1 => (replica.clone(), member).prop_map(|(replica, member)| Step::Remove { replica, member }),
        1 => (replica.clone(), 0..3u8).prop_map(|(replica, number)| Step::Visit { replica, number }),
        2 => (replica.clone(), replica).prop_map(|(from, into)| Step::Merge { from, into }),
    ]
}

/// What some devices write into one response, each change of theirs with several steps.
fn changes_of(unit: &str, changes: &[Vec<Step>]) -> ResponseChanges {
    let round = forgery::ROUND;
    let mut replicas: Vec<Response> = (0..REPLICAS)
        .map(|_| Response::new(ResponseId::of(round, unit)).unwrap())
        .collect();
    let mut time = 1_760_000_000;
    for steps in changes {
        for device in 0..REPLICAS {
            for step in steps {
                if let Step::Merge { from, into } = step
                    && *into == device
                    && from != into
                {
                    let other = replicas[*from].changes();
                    replicas[*into].apply(other).unwrap();
                }
            }
            let key = forgery::device(device as u8 + 1);
            time += 61;
            replicas[device]
                .edit::<_, ResponseError>(&key.actor(), time, |edit| {
                    for step in steps {
                        // A step that cannot be, such as removing a member who is not there, writes nothing.
                        let _ = write(edit, device, step);
                    }
                    Ok(())
                })
                .unwrap();
        }
    }
    let (first, others) = replicas.split_first_mut().unwrap();
    for other in others {
        first.merge(other).unwrap();
    }
    ResponseChanges {
        round,
        unit: unit.to_owned(),
        changes: first
            .changes()
            .iter()
            .map(|change| ByteBuf::from(change.raw_bytes()))
            .collect(),
    }
}

fn write(edit: &mut sync_core::response::Edit<'_>, device: usize, step: &Step) -> Result<(), ResponseError> {
    let instance = |member: u8| survey_forms::answers::InstanceId::new(format!("member{member}"));
    match step {
        Step::Answer {
            replica,
            member,
            question,
            value,
        } if *replica == device => {
            let question = QUESTIONS[*question];
            let path = match member {
                None => AnswerPath::top(question),
                Some(member) => {
                    edit.add_instance("members", None, &instance(*member))?;
                    AnswerPath::within(&instance(*member), question)
                }
            };
            match value {
                Some(value) => edit.put_answer(&path, value),
                None => edit.clear_answer(&path),
            }
        }
        Step::Add { replica, member } if *replica == device => edit.add_instance("members", None, &instance(*member)),
        Step::Remove { replica, member } if *replica == device => edit.remove_instance("members", &instance(*member)),
        Step::Visit { replica, number } if *replica == device => {
            let visit = Visit {
                device: "device".to_owned(),
                started_at: 1_760_000_000_000 + i64::from(*number),
                ended_at: 1_760_000_480_000,
                outcome: "completed".to_owned(),
                call_back_at: None,
                position: None,
                audit: None,
            };
            edit.record_visit(&format!("visit{number}"), &visit)
        }
        _ => Ok(()),
    }
}

pub(super) fn groups() -> impl Strategy<Value = Vec<ResponseChanges>> {
    let day = prop::collection::vec(prop::collection::vec(step(), 1..8), 1..4);
    prop::collection::vec((0..UNITS.len(), day), 0..4)
        .prop_map(|days| days.iter().map(|(unit, day)| changes_of(UNITS[*unit], day)).collect())
}

/// One change of one device with a text of so many characters that does not compress well.
pub(super) fn long_texts(unit: &str, length: usize) -> ResponseChanges {
    let mut state = unit.bytes().fold(0x9e37_79b9_7f4a_7c15u64, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let text: String = (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + (state >> 59) as u8 % 26)
        })
        .collect();
    changes_of(
        unit,
        &[vec![Step::Answer {
            replica: 0,
            member: None,
            question: 2,
            value: Some(Value::Text(text)),
        }]],
    )
}

fn restored(groups: &[ResponseChanges]) -> Vec<ResponseChanges> {
    unpack(&pack(groups, Form::Packed), &Limits::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn real_changes_come_back(groups in groups()) {
        prop_assert_eq!(restored(&groups), groups);
    }

    #[test]
    fn damaged_changes_come_back(
        mut groups in groups(),
        damage in prop::collection::vec((any::<Index>(), any::<Index>(), any::<Index>(), 0..8u32, any::<bool>()), 1..6),
    ) {
        for (group, change, byte, bit, mend) in damage {
            if groups.is_empty() { continue }
            let place = group.index(groups.len());
            let group = &mut groups[place];
            if group.changes.is_empty() { continue }
            let place = change.index(group.changes.len());
            let change = &mut group.changes[place];
            let place = byte.index(change.len());
            change[place] ^= 1 << bit;
            // With the checksum right again, what is inside counts.
            if mend && place >= 9 {
                let mut contents = change.clone();
                let length = usize::from(change[9] >= 0x80) + 10;
                contents.drain(..length.min(change.len()));
                *change = ByteBuf::from(forgery::chunk(1, &contents).0);
            }
        }
        prop_assert_eq!(restored(&groups), groups);
    }

    #[test]
    fn damaged_packed_forms_are_never_a_panic(
        groups in groups(),
        flips in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
    ) {
        let mut packed = pack(&groups, Form::Packed);
        for (place, byte) in flips {
            let place = place.index(packed.len());
            packed[place] = byte;
        }
        let limits = Limits { inflated_bytes: 1 << 16, change_bytes: 1 << 14, changes: 50, operations: 2000, ..Limits::default() };
        for bytes in [&packed[..], &packed[..cut.index(packed.len())]] {
            match unpack(bytes, &limits) {
                Ok(groups) => {
                    let bytes: usize = groups.iter().flat_map(|group| &group.changes).map(|change| change.len()).sum();
                    prop_assert!(bytes <= limits.inflated_bytes);
                    prop_assert!(groups.iter().map(|group| group.changes.len()).sum::<usize>() <= limits.changes);
                    prop_assert_eq!(restored(&groups), groups);
                }
                Err(error) => prop_assert!(!error.vietnamese().is_empty() && !error.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_packed_form_or_one_that_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(groups) = unpack(&bytes, &Limits::default()) {
            prop_assert_eq!(restored(&groups), groups);
        }
    }
}

/// A first day of 100 households alike: packed, what is alike is told once.
fn alike() -> Vec<ResponseChanges> {
    let key = forgery::device(1);
    (0..100)
        .map(|number| {
            let unit = format!("28249-01-{number:04}");
            let change = forgery::answer(&key, &unit, "nhà ở cuối ấp");
            ResponseChanges {
                round: forgery::ROUND,
                unit,
                changes: vec![ByteBuf::from(change.raw_bytes())],
            }
        })
        .collect()
}

#[test]
fn what_is_alike_is_told_once() {
    let groups = alike();
    let packed = pack(&groups, Form::Packed);
    assert_eq!(unpack(&packed, &Limits::default()), Ok(groups));
    assert!(packed.len() < 100 * 25, "{} bytes", packed.len());
}

#[test]
fn the_plain_form_has_every_change_as_it_is() {
    let change = |bytes: &[u8]| ByteBuf::from(bytes.to_vec());
    let key = forgery::device(1);
    let real = forgery::answer(
        &key,
        "A12",
        "a text that makes the change's length a number of two bytes",
    );
    let groups = vec![
        ResponseChanges {
            round: RoundId(Uuid::from_u128(1)),
            unit: "A1".to_owned(),
            changes: vec![change(b"no change"), change(b"nor this")],
        },
        ResponseChanges {
            round: RoundId(Uuid::from_u128(1)),
            unit: "A12".to_owned(),
            changes: vec![change(real.raw_bytes())],
        },
    ];
    let length = u8::try_from(real.raw_bytes().len()).unwrap();
    assert!((128..=255).contains(&length), "{length}");
    let expected = [
        &[1, 2, 0][..],                                    // rounds, groups, actors
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], // Rounds
        &[0, 0, 0, 2, 2, 1, 2, 1],                         // GroupRounds, SharedUnits, UnitLengths, ChangeCounts
        b"A12",                                            // Units
        &[0, 0, 0, 9, 8, length, 1],                       // Forms, RawLengths
        b"no changenor this",                              // Raw
        real.raw_bytes(),
    ]
    .concat();
    let plain = pack(&groups, Form::Plain);
    assert_eq!(plain, expected);
    assert_eq!(unpack(&plain, &Limits::default()), Ok(groups));
}

#[test]
fn every_limit_is_kept() {
    let packed = pack(&alike(), Form::Packed);
    let whole = Limits::default();
    let refused = |limits: Limits| unpack(&packed, &limits).unwrap_err();
    assert!(matches!(
        refused(Limits { changes: 99, ..whole }),
        PackingError::TooMany { limit: 99, .. }
    ));
    assert!(matches!(
        refused(Limits {
            operations: 99,
            ..whole
        }),
        PackingError::TooMany { limit: 99, .. }
    ));
    assert!(matches!(
        refused(Limits {
            inflated_bytes: 9999,
            ..whole
        }),
        PackingError::TooLarge { limit: 9999 }
    ));
    let small = Limits {
        change_bytes: 40,
        ..whole
    };
    assert!(matches!(
        refused(small),
        PackingError::ChangeTooLarge { change: 0, limit: 40 }
    ));
}

#[test]
fn one_long_unit_told_for_many_groups_is_refused_before_it_fills_memory() {
    // Each group after the first says in a few bytes that its unit is the one before.
    let unit = "x".repeat(100_000);
    let groups: Vec<ResponseChanges> = (0..2000)
        .map(|_| ResponseChanges {
            round: RoundId(Uuid::nil()),
            unit: unit.clone(),
            changes: Vec::new(),
        })
        .collect();
    let packed = pack(&groups, Form::Packed);
    assert!(packed.len() < 120_000);
    let limits = Limits::default();
    let limit = limits.inflated_bytes;
    assert_eq!(unpack(&packed, &limits), Err(PackingError::TooLarge { limit }));
}

#[test]
fn a_large_value_told_for_many_changes_is_refused_before_it_fills_memory() {
    let key = forgery::device(1);
    let text = "x".repeat(60_000);
    let change = |number: usize| ResponseChanges {
        round: forgery::ROUND,
        unit: number.to_string(),
        changes: vec![ByteBuf::from(
            forgery::answer(&key, &number.to_string(), &text).raw_bytes(),
        )],
    };
    let packed = pack(&(0..20).map(change).collect::<Vec<_>>(), Form::Packed);
    assert!(packed.len() < 62_000);
    let limits = Limits {
        inflated_bytes: 1 << 20,
        ..Limits::default()
    };
    assert_eq!(unpack(&packed, &limits), Err(PackingError::TooLarge { limit: 1 << 20 }));
}

#[test]
fn every_cut_is_noticed() {
    let packed = pack(&alike()[..3], Form::Packed);
    for end in 0..packed.len() {
        match unpack(&packed[..end], &Limits::default()) {
            Err(PackingError::Malformed { byte, .. }) => assert!(byte <= end),
            other => panic!("cut after {end} bytes: {other:?}"),
        }
    }
}

/// Small messages and packed forms, by fuzz target and name.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let key = forgery::device(1);
    let first = forgery::answer(&key, forgery::UNIT, "nhà ở cuối ấp");
    let raw = ResponseChanges {
        round: forgery::ROUND,
        unit: forgery::UNIT.to_owned(),
        changes: vec![ByteBuf::from(b"no change".to_vec())],
    };
    let add = |replica| Step::Add { replica, member: 1 };
    let answer = |replica, member, value: Value| Step::Answer {
        replica,
        member,
        question: 1,
        value: Some(value),
    };
    let visit = Step::Visit { replica: 0, number: 1 };
    let merge = Step::Merge { from: 0, into: 1 };
    let day = [
        vec![add(0), answer(0, Some(1), "yes".into()), visit],
        vec![
            merge,
            answer(0, None, Value::Integer(7)),
            answer(1, Some(1), "no".into()),
        ],
        vec![answer(0, Some(1), Value::Decimal(0.5)), answer(2, None, "told".into())],
    ];
    let replicas = changes_of(UNITS[0], &day);
    let request = forgery::request(&key, std::slice::from_ref(&first));
    let forward = forwarded(&key, &first);
    vec![
        ("forwarding", "one_change.cbor", forward.to_cbor().unwrap()),
        ("forwarding", "one_change.br", wire::encode(&forward).unwrap()),
        ("request", "one_answer.cbor", request.to_cbor().unwrap()),
        ("request", "one_answer.br", wire::encode(&request).unwrap()),
        ("packing", "nothing", pack(&[], Form::Packed)),
        ("packing", "as_it_is", pack(&[raw], Form::Packed)),
        (
            "packing",
            "three_devices",
            pack(std::slice::from_ref(&replicas), Form::Packed),
        ),
        (
            "packing",
            "two_households",
            pack(&[replicas, changes_of(UNITS[1], &day)], Form::Packed),
        ),
    ]
}

/// What a hub brings that has one change.
fn forwarded(key: &DeviceKey, change: &Change) -> ForwardRequest {
    let attestation = CarriedAttestation {
        device: key.public(),
        hashes: change.hash().0.to_vec().into(),
        signature: key.attest(&[change.hash()]),
    };
    let mut builder = CarriedBuilder::default();
    builder.add(forgery::ROUND, forgery::UNIT, change.raw_bytes(), &attestation);
    let piece = Piece {
        carried: builder.finish(),
        until: Some(Cursor(1, LogMark([7; 8]))),
        ..Piece::default()
    };
    ForwardingState::default().request(piece, None, None, 1_760_000_000_000)
}

#[test]
fn the_seeds_of_the_fuzz_targets_are_messages_of_today() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (target, name, bytes) in seeds() {
        let path = folder.join(target).join(name);
        if std::env::var_os("KHAOSAT_UPDATE").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(
            std::fs::read(&path).unwrap_or_default() == bytes,
            "{target}/{name} is not what is written today"
        );
    }
}
