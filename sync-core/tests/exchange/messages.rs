//! Messages on the wire: what is sent comes back equal, and bytes that are no message are an error and never a panic.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_bytes::{ByteArray, ByteBuf};
use survey_forms::answers::{AnswerPath, AnswersMut as _, Value};
use sync_core::ChangeHash;
use sync_core::device::{AttestationSignature, DeviceKey, DevicePublicKey};
use sync_core::exchange::message::{Attestation, PROTOCOL_VERSION, Reconciliation};
use sync_core::exchange::packing::Form;
use sync_core::exchange::wire::Message as _;
use sync_core::exchange::{
    Client, Cursor, ErasedResponse, Limits, LogMark, OutgoingChange, Refusal, RefusalReason, ResponseChanges,
    SyncRequest, SyncResponse, WireError, admit, wire,
};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::Response;
use uuid::Uuid;

fn groups() -> impl Strategy<Value = Vec<ResponseChanges>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..60).prop_map(ByteBuf::from);
    let group =
        (any::<u128>(), any::<String>(), prop::collection::vec(bytes, 0..4)).prop_map(|(round, unit, changes)| {
            ResponseChanges {
                round: RoundId(Uuid::from_u128(round)),
                unit,
                changes,
            }
        });
    prop::collection::vec(group, 0..4)
}

fn attestation() -> impl Strategy<Value = Attestation> {
    (any::<[u8; 32]>(), any::<u32>(), any::<u32>(), any::<[u8; 32]>()).prop_map(|(device, first, count, half)| {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&half);
        Attestation {
            device: DevicePublicKey(device),
            first,
            count,
            signature: AttestationSignature(signature),
        }
    })
}

fn cursor() -> impl Strategy<Value = Option<Cursor>> {
    let cursor = (any::<u64>(), any::<[u8; 8]>()).prop_map(|(sequence, mark)| Cursor(sequence, LogMark(mark)));
    prop::option::of(cursor)
}

fn request() -> impl Strategy<Value = SyncRequest> {
    (
        [cursor(), cursor()],
        any::<bool>(),
        any::<i64>(),
        groups(),
        prop::collection::vec(attestation(), 0..4),
        prop::option::of(reconciliation()),
        prop::sample::select(vec![Form::Packed, Form::Plain]),
    )
        .prop_map(
            |([cursor, acknowledged], restoring, device_time, responses, attestations, reconciliation, answer_form)| {
                SyncRequest {
                    version: PROTOCOL_VERSION,
                    cursor,
                    acknowledged,
                    restoring,
                    device_time,
                    responses,
                    attestations,
                    reconciliation,
                    answer_form,
                }
            },
        )
}

fn erased() -> impl Strategy<Value = ErasedResponse> {
    (any::<u128>(), "[A-Z][0-9]{1,3}").prop_map(|(round, unit)| ErasedResponse {
        round: RoundId(Uuid::from_u128(round)),
        unit,
    })
}

fn reconciliation() -> impl Strategy<Value = Reconciliation> {
    let hash = any::<[u8; 32]>().prop_map(ByteArray::new);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Reconciliation::Compare(ByteBuf::from(bytes))),
        prop::collection::vec(hash, 0..4).prop_map(Reconciliation::Fetch),
    ]
}

fn response() -> impl Strategy<Value = SyncResponse> {
    let reason = prop::sample::select(vec![
        RefusalReason::Malformed,
        RefusalReason::TooLarge,
        RefusalReason::ForeignAuthor,
        RefusalReason::ForeignStructure,
        RefusalReason::UnknownRound,
        RefusalReason::RoundClosed,
        RefusalReason::UnknownUnit,
        RefusalReason::OutsideScope,
        RefusalReason::Contradiction,
        RefusalReason::RevokedDevice,
        RefusalReason::Discarded,
        RefusalReason::HamletFull,
    ]);
    let refusal = (any::<u32>(), reason, any::<bool>()).prop_map(|(change, reason, quarantined)| Refusal {
        change,
        reason,
        quarantined,
    });
    let numbers = (
        any::<u16>(),
        any::<u32>(),
        prop::collection::vec(any::<u32>(), 0..4),
        [cursor(), cursor()],
        any::<bool>(),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        any::<bool>(),
        any::<i64>(),
    );
    (
        numbers,
        prop::collection::vec(refusal, 0..6),
        groups(),
        prop::collection::vec(erased(), 0..3),
    )
        .prop_map(
            |(
                (version, accepted, waiting, [cursor, acknowledged], unknown_cursor, reconciliation, more, server_time),
                refused,
                responses,
                erased,
            )| SyncResponse {
                version,
                accepted,
                waiting,
                refused,
                responses,
                erased,
                cursor,
                acknowledged,
                unknown_cursor,
                reconciliation: reconciliation.map(ByteBuf::from),
                more,
                server_time,
            },
        )
}

/// A request of one phone with a few changes, and what it carries: the response and hash of each.
fn signed_request() -> (SyncRequest, Vec<(ResponseId, ChangeHash)>) {
    let key = DeviceKey::from_secret(&[1; 32]);
    let round = RoundId(Uuid::from_u128(7));
    let mut client = Client::default();
    let mut carried = Vec::new();
    for unit in ["A1", "A2"] {
        let id = ResponseId::of(round, unit);
        let mut response = Response::new(id).unwrap();
        for (question, value) in [("fibre_available", "yes"), ("note", "nhà ở cuối ấp")] {
            let edited = response.edit(&key.actor(), 1_760_000_000, |edit| {
                edit.put_answer(&AnswerPath::top(question), &value.into())
            });
            let change = edited.unwrap().1.unwrap();
            carried.push((id, change.hash()));
            client.enqueue(OutgoingChange {
                round,
                unit: unit.to_owned(),
                change,
            });
        }
    }
    (client.request(&key, 1_760_000_000_000, 1 << 20), carried)
}

/// Whatever became of a message, nothing but what its author signed may be admitted, and only into its own response.
fn assert_nothing_forged(outcome: Result<SyncRequest, WireError>, carried: &[(ResponseId, ChangeHash)]) {
    let Ok(request) = outcome else { return };
    let Ok(verdicts) = admit(&request, &Limits::default()) else {
        return;
    };
    for admitted in verdicts.into_iter().flatten() {
        assert!(
            carried.contains(&(admitted.response, admitted.change.hash())),
            "admitted what nobody wrote: {admitted:?}"
        );
    }
}

proptest! {
    #[test]
    fn requests_survive_the_wire(request in request()) {
        let bytes = wire::encode(&request).unwrap();
        prop_assert_eq!(wire::decode_request(&bytes, &Limits::default()), Ok(request));
    }

    #[test]
    fn responses_survive_the_wire(response in response()) {
        let bytes = wire::encode(&response).unwrap();
        prop_assert_eq!(wire::decode::<SyncResponse>(&bytes, &Limits::default()), Ok(response));
    }

    #[test]
    fn arbitrary_bytes_are_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let limits = Limits::default();
        prop_assert!(wire::decode_request(&bytes, &limits).is_err());
        prop_assert!(wire::decode::<SyncResponse>(&bytes, &limits).is_err());
        // The same rubbish after a sound compression reaches the reader of CBOR.
        let compressed = compressed(&bytes);
        prop_assert!(wire::decode_request(&compressed, &limits).is_err());
        prop_assert!(wire::decode::<SyncResponse>(&compressed, &limits).is_err());
    }

    #[test]
    fn an_arbitrary_request_is_never_a_panic(request in request()) {
        // Random bytes are no changes and random signatures sign nothing.
        let limits = Limits::default();
        if let Ok(verdicts) = admit(&request, &limits) {
            prop_assert!(verdicts.iter().all(Result::is_err));
        }
    }

    #[test]
    fn flipped_bits_forge_nothing(flips in prop::collection::vec((any::<Index>(), 0..8u32), 1..4)) {
        let limits = Limits::default();
        let (request, carried) = signed_request();
        let flipped = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for (place, bit) in &flips {
                let place = place.index(bytes.len());
                bytes[place] ^= 1 << bit;
            }
            bytes
        };
        // On the line …
        let sent = wire::encode(&request).unwrap();
        assert_nothing_forged(wire::decode_request(&flipped(&sent), &limits), &carried);
        // … and before compression, where each flip changes one field or one byte of a change.
        let inflated = request.to_cbor().unwrap();
        assert_nothing_forged(wire::decode_request(&compressed(&flipped(&inflated)), &limits), &carried);
    }
}

#[test]
fn a_message_cut_anywhere_is_an_error() {
    let limits = Limits::default();
    let (request, _) = signed_request();
    let sent = wire::encode(&request).unwrap();
    for end in 0..sent.len() {
        match wire::decode_request(&sent[..end], &limits) {
            Err(_) => {}
            // Brotli's last bytes may carry nothing but the end of the stream.
            Ok(message) => assert_eq!(message, request, "cut after {end} bytes"),
        }
    }
    let inflated = request.to_cbor().unwrap();
    for end in 0..inflated.len() {
        match wire::decode_request(&compressed(&inflated[..end]), &limits) {
            Err(WireError::Malformed { byte, .. }) => assert!(byte <= end, "cut after {end}, said byte {byte}"),
            other => panic!("cut after {end} bytes: {other:?}"),
        }
    }
}

#[test]
fn every_single_flipped_bit_of_a_change_is_noticed() {
    let limits = Limits::default();
    let (request, carried) = signed_request();
    let length = request.responses[0].changes[0].len();
    for bit in 0..length * 8 {
        let mut damaged = request.clone();
        damaged.responses[0].changes[0][bit / 8] ^= 1 << (bit % 8);
        let verdicts = admit(&damaged, &limits);
        assert!(
            verdicts.as_ref().map_or(true, |verdicts| verdicts[0].is_err()),
            "bit {bit} flipped: {verdicts:?}"
        );
        assert_nothing_forged(Ok(damaged), &carried);
    }
}

#[test]
fn lists_of_nothing_are_refused_before_they_fill_memory() {
    // Each empty byte string is one byte on the wire and twenty-four in memory: thirty million of them compress into a
    // few kilobytes. A request is refused by the number of its items before any of them is made.
    let (request, _) = signed_request();
    let inflated = request.to_cbor().unwrap();
    let key = b"devices";
    let place = inflated.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    let items: u32 = 30_000_000;
    for item in [0x40u8, 0x80, 0xa0, 0xf6, 0x00] {
        let mut bomb = inflated[..place].to_vec();
        bomb.push(0x9a);
        bomb.extend(items.to_be_bytes());
        bomb.resize(bomb.len() + items as usize, item);
        let refused = wire::decode_request(&compressed(&bomb), &Limits::default());
        assert!(
            matches!(refused, Err(WireError::TooMany { what: "items", .. })),
            "items of {item:#x}: {refused:?}"
        );
    }
}

fn compressed(inflated: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    writer.write_all(inflated).unwrap();
    writer.into_inner()
}

#[test]
fn a_piece_holds_what_fits_and_at_least_one_change() {
    let key = DeviceKey::from_secret(&[1; 32]);
    let round = RoundId(Uuid::from_u128(7));
    let mut response = Response::new(ResponseId::of(round, "A1")).unwrap();
    let mut client = Client::default();
    let mut sizes = Vec::new();
    for number in 0..5 {
        let edited = response.edit(&key.actor(), 1_760_000_000, |edit| {
            edit.put_answer(&AnswerPath::top("note"), &Value::Text(format!("{number}")))
        });
        let change = edited.unwrap().1.unwrap();
        sizes.push(change.raw_bytes().len());
        let unit = "A1".to_owned();
        client.enqueue(OutgoingChange { round, unit, change });
    }
    let mut piece = |bytes| client.request(&key, 0, bytes).change_count();
    assert_eq!(piece(1), 1);
    assert_eq!(piece(sizes[0]), 1);
    assert_eq!(piece(sizes[0] + sizes[1]), 2);
    assert_eq!(piece(sizes[0] + sizes[1] + sizes[2] - 1), 2);
    assert_eq!(piece(usize::MAX), 5);
    assert_eq!(client.unacknowledged(), 5, "asking for a piece acknowledges nothing");
}
