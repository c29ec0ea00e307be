//! What a server takes from whom: the verdict on every kind of change that is not an honest answer of its sender.

use automerge::ObjType;
use automerge::ScalarValue;
use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType, SortedVec};
use sync_core::exchange::message::Attestation;
use sync_core::exchange::{
    AdmissionError, Limits, RefusalReason, ResponseChanges, SyncRequest, admit, attested_hashes,
};
use sync_core::identity::ResponseId;
use sync_core::response::{Response, genesis};
use sync_core::{Change, ChangeHash};

use crate::forgery::{
    ROUND, UNIT, answer, change_chunk, chunk, columns, device, operation, put, request, request_of_bytes, response_id,
    rewritten,
};

/// The verdict on each change: its hash, or the reason of its refusal.
fn verdicts(request: &SyncRequest) -> Result<Vec<Result<ChangeHash, RefusalReason>>, AdmissionError> {
    let verdicts = admit(request, &Limits::default())?;
    Ok(verdicts
        .into_iter()
        .map(|verdict| verdict.map(|admitted| admitted.change.hash()))
        .collect())
}

/// The verdict on one change of [`UNIT`] that its author signed.
fn verdict(change: &Change) -> Result<ChangeHash, RefusalReason> {
    verdicts(&request(&device(1), std::slice::from_ref(change)))
        .unwrap()
        .remove(0)
}

/// The verdict on a change with this one operation.
fn verdict_on(operation: Op) -> Result<(), RefusalReason> {
    verdict(&rewritten(&device(1), |operations| *operations = vec![operation])).map(drop)
}

#[test]
fn an_honest_answer_is_admitted_with_its_place_and_author() {
    let key = device(1);
    let change = answer(&key, UNIT, "x");
    let admitted = admit(&request(&key, std::slice::from_ref(&change)), &Limits::default()).unwrap();
    let admitted = admitted.into_iter().next().unwrap().unwrap();
    assert_eq!(admitted.response, response_id());
    assert_eq!((admitted.round, admitted.unit.as_str()), (ROUND, UNIT));
    assert_eq!(admitted.device, key.public());
    assert_eq!(admitted.change.hash(), change.hash());
}

#[test]
fn nobody_delivers_in_another_authors_name() {
    let (own, foreign) = (answer(&device(1), UNIT, "own"), answer(&device(2), UNIT, "foreign"));
    let mixed = request(&device(1), &[own.clone(), foreign]);
    assert_eq!(
        verdicts(&mixed),
        Ok(vec![Ok(own.hash()), Err(RefusalReason::ForeignAuthor)])
    );
}

#[test]
fn one_wrong_signature_refuses_the_whole_request() {
    let key = device(1);
    let changes = [answer(&key, UNIT, "a"), answer(&key, UNIT, "b")];
    let hashes = changes.each_ref().map(Change::hash);
    let honest = request(&key, &changes);
    let wrong = [
        device(2).attest(&hashes),
        key.attest(&[hashes[1], hashes[0]]),
        key.attest(&hashes[..1]),
        key.attest(&[]),
        sync_core::device::AttestationSignature([0; 64]),
        sync_core::device::AttestationSignature(key.sign_enrolment("ABCD")),
    ];
    for signature in wrong {
        let mut forged = honest.clone();
        forged.attestations[0].signature = signature;
        assert!(
            matches!(verdicts(&forged), Err(AdmissionError::Signature { attestation: 0, .. })),
            "{signature:?}"
        );
    }
    // The second of two runs is wrong: neither is taken.
    let mut forged = honest.clone();
    let run = |first, signature| Attestation {
        device: key.public(),
        first,
        count: 1,
        signature,
    };
    forged.attestations = vec![run(0, key.attest(&hashes[..1])), run(1, key.attest(&hashes[..1]))];
    assert!(matches!(
        verdicts(&forged),
        Err(AdmissionError::Signature { attestation: 1, .. })
    ));
    forged.attestations[1].signature = key.attest(&hashes[1..]);
    assert_eq!(verdicts(&forged), Ok(hashes.iter().copied().map(Ok).collect()));
    // A key that is no point of the curve, and one of small order (RFC 8032, section 5.1.7).
    for point in [[0xff; 32], [0; 32]] {
        let mut forged = honest.clone();
        forged.attestations[0].device = sync_core::device::DevicePublicKey(point);
        assert!(matches!(verdicts(&forged), Err(AdmissionError::Signature { .. })));
    }
}

#[test]
fn every_change_is_covered_by_exactly_one_attestation() {
    let key = device(1);
    let changes = [
        answer(&key, UNIT, "a"),
        answer(&key, UNIT, "b"),
        answer(&key, UNIT, "c"),
    ];
    let hashes = changes.each_ref().map(Change::hash);
    let covered = |runs: &[(u32, u32)]| {
        let mut request = request(&key, &changes);
        let attestation = |&(first, count): &(u32, u32)| {
            let range = first as usize..(first as usize).saturating_add(count as usize);
            let signed = hashes.get(range).unwrap_or_default();
            Attestation {
                device: key.public(),
                first,
                count,
                signature: key.attest(signed),
            }
        };
        request.attestations = runs.iter().map(attestation).collect();
        verdicts(&request)
    };
    assert!(covered(&[(0, 3)]).is_ok());
    assert!(covered(&[(2, 1), (0, 2)]).is_ok());
    let coverage = |change, attestations| Err(AdmissionError::Coverage { change, attestations });
    assert_eq!(covered(&[]), coverage(0, 0));
    assert_eq!(covered(&[(0, 2)]), coverage(2, 0));
    assert_eq!(covered(&[(0, 1), (2, 1)]), coverage(1, 0));
    assert_eq!(covered(&[(0, 3), (1, 1)]), coverage(1, 2));
    assert_eq!(covered(&[(0, 3), (0, 3)]), coverage(0, 2));
    let outside = |attestation, first, last| {
        Err(AdmissionError::AttestationOutOfRange {
            attestation,
            first,
            last,
            changes: 3,
        })
    };
    assert_eq!(covered(&[(0, 3), (0, 0)]), outside(1, 0, 0));
    assert_eq!(covered(&[(0, 4)]), outside(0, 0, 3));
    assert_eq!(covered(&[(3, 1)]), outside(0, 3, 3));
    let most = u64::from(u32::MAX);
    assert_eq!(covered(&[(u32::MAX, 1)]), outside(0, most, most));
    assert_eq!(covered(&[(1, u32::MAX)]), outside(0, 1, most));
    assert_eq!(covered(&[(u32::MAX, u32::MAX)]), outside(0, most, 2 * most - 1));
    let mut nothing = request(&key, &[]);
    assert_eq!(
        verdicts(&nothing),
        Err(AdmissionError::AttestationOutOfRange {
            attestation: 0,
            first: 0,
            last: 0,
            changes: 0
        })
    );
    nothing.attestations.clear();
    assert_eq!(verdicts(&nothing), Ok(Vec::new()));
}

#[test]
fn a_change_belongs_to_its_own_response_only() {
    let key = device(1);
    let change = answer(&key, "A2", "x");
    assert_eq!(verdict(&change), Err(RefusalReason::ForeignStructure));
    // The same change under its own name is sound.
    let mut right = request(&key, std::slice::from_ref(&change));
    right.responses[0].unit = "A2".to_owned();
    assert_eq!(verdicts(&right), Ok(vec![Ok(change.hash())]));
    // Another round's response of the same unit is another response.
    right.responses[0].round = sync_core::identity::RoundId(uuid::Uuid::from_u128(8));
    assert_eq!(verdicts(&right), Ok(vec![Err(RefusalReason::ForeignStructure)]));
}

#[test]
fn answers_of_every_scalar_kind_are_admitted_up_to_their_limits() {
    for value in [
        ScalarValue::Int(i64::MIN),
        ScalarValue::Uint(u64::MAX),
        ScalarValue::F64(-0.5),
        ScalarValue::Boolean(true),
        ScalarValue::Timestamp(0),
        ScalarValue::Null,
        ScalarValue::Str("".into()),
        ScalarValue::Str("x".repeat(64 << 10).into()),
    ] {
        assert_eq!(verdict_on(put(value.clone())), Ok(()), "{value:?}");
    }
    assert_eq!(
        verdict_on(operation(Some(1), &"k".repeat(256), OpType::Put(1.into()))),
        Ok(())
    );
    for collection in [2, 3] {
        assert_eq!(
            verdict_on(operation(Some(collection), "m1", OpType::Make(ObjType::Map))),
            Ok(())
        );
    }
}

#[test]
fn writing_anything_but_answers_is_refused() {
    let genesis = genesis::actor(response_id());
    let replacing = |mut operation: Op, replaced: u64| {
        operation.pred = SortedVec::from(vec![OpId::new(replaced, &genesis)]);
        operation
    };
    let put_at = |map, key: &str| operation(map, key, OpType::Put(1.into()));
    let mut listed = put(1);
    listed.key = Key::Seq(ElementId::Head);
    let mut inserted = put(1);
    inserted.insert = true;
    // The member that the first operation makes has the counter after the genesis's three operations.
    let member = ObjectId::Id(OpId::new(4, &device(1).actor()));
    let mut nested = operation(None, "nested", OpType::Make(ObjType::Map));
    nested.obj = member;
    let cases: Vec<(&str, Vec<Op>)> = vec![
        ("a scalar beside the maps", vec![put_at(None, "extra")]),
        (
            "a scalar instead of the answers",
            vec![replacing(put_at(None, "answers"), 1)],
        ),
        (
            "another map of answers",
            vec![operation(None, "answers", OpType::Make(ObjType::Map))],
        ),
        (
            "a map that replaces the answers",
            vec![replacing(operation(None, "answers", OpType::Make(ObjType::Map)), 1)],
        ),
        (
            "the answers deleted",
            vec![replacing(operation(None, "answers", OpType::Delete), 1)],
        ),
        ("an answer deleted", vec![operation(Some(1), "note", OpType::Delete)]),
        (
            "a map inside the answers",
            vec![operation(Some(1), "note", OpType::Make(ObjType::Map))],
        ),
        (
            "a list inside the answers",
            vec![operation(Some(1), "note", OpType::Make(ObjType::List))],
        ),
        (
            "a text object inside the answers",
            vec![operation(Some(1), "note", OpType::Make(ObjType::Text))],
        ),
        (
            "a list of members",
            vec![operation(Some(2), "m1", OpType::Make(ObjType::List))],
        ),
        (
            "a table of members",
            vec![operation(Some(2), "m1", OpType::Make(ObjType::Table))],
        ),
        (
            "a member that replaces a member",
            vec![replacing(operation(Some(2), "m1", OpType::Make(ObjType::Map)), 4)],
        ),
        (
            "a map inside a member",
            vec![operation(Some(2), "m1", OpType::Make(ObjType::Map)), nested],
        ),
        ("a scalar instead of a member", vec![put_at(Some(2), "m1")]),
        ("a scalar instead of a visit", vec![put_at(Some(3), "v1")]),
        ("a counter", vec![put(ScalarValue::counter(1))]),
        ("an increment", vec![operation(Some(1), "note", OpType::Increment(1))]),
        ("bytes", vec![put(ScalarValue::Bytes(vec![1, 2]))]),
        ("not a number", vec![put(f64::NAN)]),
        ("infinity", vec![put(f64::INFINITY)]),
        (
            "a value of an unknown type",
            vec![put(ScalarValue::Unknown {
                type_code: 12,
                bytes: vec![1],
            })],
        ),
        ("a list element", vec![listed]),
        ("an insertion", vec![inserted]),
        ("a key over its limit", vec![put_at(Some(1), &"k".repeat(257))]),
        (
            "a text over its limit",
            vec![put(ScalarValue::Str("x".repeat((64 << 10) + 1).into()))],
        ),
        (
            "an honest answer and a foreign one",
            vec![put(1), put_at(None, "extra")],
        ),
    ];
    for (what, operations) in cases {
        let forged = rewritten(&device(1), |own| *own = operations);
        assert_eq!(verdict(&forged), Err(RefusalReason::ForeignStructure), "{what}");
    }
}

#[test]
fn a_change_that_cannot_be_admitted_takes_no_other_with_it() {
    let key = device(1);
    let good = [answer(&key, UNIT, "a"), answer(&key, UNIT, "b")];
    let limits = Limits::default();
    let foreign = rewritten(&key, |operations| {
        *operations = vec![operation(None, "extra", OpType::Put(1.into()))]
    });
    let large = {
        let mut change = answer(&key, UNIT, "x").decode();
        change.message = Some("x".repeat(limits.change_bytes));
        change.hash = None;
        Change::from(change)
    };
    for (bad, reason) in [
        (foreign, RefusalReason::ForeignStructure),
        (large, RefusalReason::TooLarge),
    ] {
        let mixed = request(&key, &[good[0].clone(), bad, good[1].clone()]);
        assert_eq!(
            verdicts(&mixed),
            Ok(vec![Ok(good[0].hash()), Err(reason), Ok(good[1].hash())])
        );
        // The signature is kept with what it signs, which the refused change is part of.
        let signed = attested_hashes(&mixed).remove(0);
        assert_eq!(signed.len(), 3);
        assert_eq!(
            key.public()
                .verify_attestation(&signed, &mixed.attestations[0].signature),
            Ok(())
        );
    }
    // A chunk whose checksum is right and whose inside is not.
    let (bytes, hash) = chunk(1, b"rubbish");
    let raw = |change: &Change| change.raw_bytes().to_vec();
    let hashes = [good[0].hash(), hash, good[1].hash()];
    let mixed = request_of_bytes(&key, vec![raw(&good[0]), bytes, raw(&good[1])], &hashes);
    assert_eq!(
        verdicts(&mixed),
        Ok(vec![Ok(hashes[0]), Err(RefusalReason::Malformed), Ok(hashes[2])])
    );
}

#[test]
fn a_run_with_a_damaged_change_proves_nothing_of_its_other_changes() {
    let key = device(1);
    let changes = [answer(&key, UNIT, "a"), answer(&key, UNIT, "b")];
    let hashes = changes.each_ref().map(Change::hash);
    let damages: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes[4] ^= 1,
        |bytes| bytes[0] ^= 1,
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| bytes.push(0),
        |bytes| bytes.truncate(20),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut bytes = changes.each_ref().map(|change| change.raw_bytes().to_vec());
        damage(&mut bytes[0]);
        let damaged = request_of_bytes(&key, bytes.to_vec(), &hashes);
        let refused = vec![Err(RefusalReason::Malformed), Err(RefusalReason::Unverifiable)];
        assert_eq!(verdicts(&damaged), Ok(refused), "damage {number}");
    }
}

#[test]
fn only_raw_change_chunks_are_changes() {
    let key = device(1);
    let mut change = answer(&key, UNIT, &"a".repeat(1000));
    let hash = change.hash();
    let compressed = change.bytes().to_vec();
    assert_ne!(
        compressed,
        change.raw_bytes(),
        "the chunk is long enough to be compressed"
    );
    let document = Response::new(response_id()).unwrap().save();
    for (what, bytes) in [
        ("a compressed change", compressed),
        ("a document", document),
        ("nothing", Vec::new()),
    ] {
        let sent = request_of_bytes(&key, vec![bytes], &[hash]);
        assert_eq!(verdicts(&sent), Ok(vec![Err(RefusalReason::Malformed)]), "{what}");
    }
}

#[test]
fn compressed_chunks_are_refused_before_they_inflate() {
    let key = device(1);
    let mut bomb = answer(&key, UNIT, "x").decode();
    bomb.message = Some("x".repeat(64 << 20));
    bomb.hash = None;
    let mut bomb = Change::from(bomb);
    let (hash, bytes) = (bomb.hash(), bomb.bytes().to_vec());
    assert!(bytes.len() < 128 << 10);
    // Inflated they would be 16 GiB.
    let sent = request_of_bytes(&key, vec![bytes; 256], &[hash; 256]);
    let verdicts = verdicts(&sent).unwrap();
    assert!(verdicts.iter().all(|verdict| *verdict == Err(RefusalReason::Malformed)));
}

#[test]
fn a_chunk_made_by_hand_is_an_honest_change_as_long_as_it_stays_small() {
    let key = device(1);
    let (bytes, hash) = change_chunk(&key, 4, &columns(2, "note", 1, 0));
    assert_eq!(
        verdicts(&request_of_bytes(&key, vec![bytes], &[hash])),
        Ok(vec![Ok(hash)])
    );
}

#[test]
fn short_changes_that_unfold_into_many_operations_are_refused_at_once() {
    let key = device(1);
    let long_key = "k".repeat(200 << 10);
    let cases = [
        (
            "2^40 operations",
            columns(1 << 40, "note", 1, 0),
            RefusalReason::TooLarge,
        ),
        (
            "i64::MAX operations",
            columns(i64::MAX, "note", 1, 0),
            RefusalReason::TooLarge,
        ),
        (
            "2^40 predecessors",
            columns(2, "note", 1, 1 << 40),
            RefusalReason::TooLarge,
        ),
        (
            "i64::MAX predecessors",
            columns(2, "note", 1, i64::MAX as u64),
            RefusalReason::TooLarge,
        ),
        (
            "a long key many times",
            columns(9_000, &long_key, 1, 0),
            RefusalReason::ForeignStructure,
        ),
    ];
    for (what, columns, reason) in cases {
        let (bytes, hash) = change_chunk(&key, 4, &columns);
        assert_eq!(
            verdicts(&request_of_bytes(&key, vec![bytes], &[hash])),
            Ok(vec![Err(reason)]),
            "{what}"
        );
    }
}

#[test]
fn an_actor_that_the_change_does_not_list_is_refused() {
    let key = device(1);
    for actor in [2, 1 << 20, u64::from(u32::MAX), u64::MAX] {
        let (bytes, hash) = change_chunk(&key, 4, &columns(2, "note", actor, 0));
        let sent = request_of_bytes(&key, vec![bytes], &[hash]);
        assert_eq!(
            verdicts(&sent),
            Ok(vec![Err(RefusalReason::Malformed)]),
            "actor {actor}"
        );
    }
}

#[test]
fn unit_codes_and_changes_over_their_limits_are_too_large() {
    let key = device(1);
    let limits = Limits::default();
    let unit = "u".repeat(limits.unit_bytes + 1);
    let change = answer(&key, &unit, "x");
    let mut long = request(&key, std::slice::from_ref(&change));
    long.responses = vec![ResponseChanges {
        unit: unit.clone(),
        ..long.responses.remove(0)
    }];
    assert_eq!(verdicts(&long), Ok(vec![Err(RefusalReason::TooLarge)]));

    let unit = "u".repeat(limits.unit_bytes);
    let change = answer(&key, &unit, "x");
    let mut allowed = request(&key, std::slice::from_ref(&change));
    allowed.responses[0].unit = unit.clone();
    assert_eq!(verdicts(&allowed), Ok(vec![Ok(change.hash())]));
    let admitted = admit(&allowed, &limits).unwrap().remove(0).unwrap();
    assert_eq!(admitted.response, ResponseId::of(ROUND, &unit));
}
