use std::io::Write;

use super::brotli::{BUFFER, window};
use super::*;
use crate::exchange::ResponseChanges;
use crate::exchange::{Cursor, LogMark, RefusalReason};
use crate::identity::RoundId;
use crate::response::genesis;
use serde_bytes::ByteArray;

fn compressed(inflated: &[u8]) -> Vec<u8> {
    compress(inflated, Effort::Message).unwrap()
}

fn request(version: u16) -> SyncRequest {
    SyncRequest {
        version,
        cursor: Some(Cursor(7, LogMark([7; 8]))),
        acknowledged: None,
        restoring: false,
        reconciliation: None,
        answer_form: Form::Packed,
        device_time: -1,
        responses: Vec::new(),
        attestations: Vec::new(),
    }
}

fn nothing() -> SyncResponse {
    SyncResponse {
        version: PROTOCOL_VERSION,
        accepted: 0,
        waiting: Vec::new(),
        refused: Vec::new(),
        responses: Vec::new(),
        cursor: None,
        acknowledged: None,
        unknown_cursor: false,
        erased: Vec::new(),
        reconciliation: None,
        more: false,
        server_time: 7,
    }
}

#[test]
fn a_request_survives_the_wire() {
    let sent = request(PROTOCOL_VERSION);
    let more = SyncRequest {
        acknowledged: Some(Cursor(u64::MAX, LogMark([9; 8]))),
        restoring: true,
        ..sent.clone()
    };
    let comparing = SyncRequest {
        reconciliation: Some(Reconciliation::Compare(ByteBuf::from([1, 2]))),
        ..sent.clone()
    };
    let fetching = SyncRequest {
        reconciliation: Some(Reconciliation::Fetch(vec![ByteArray::new([5; 32])])),
        ..sent.clone()
    };
    let plain = SyncRequest {
        answer_form: Form::Plain,
        ..sent.clone()
    };
    for sent in [sent, more, comparing, fetching, plain] {
        assert_eq!(decode_request(&encode(&sent).unwrap(), &Limits::default()), Ok(sent));
    }
}

#[test]
fn a_response_survives_the_wire() {
    let much = SyncResponse {
        accepted: 3,
        waiting: vec![1, 300],
        refused: vec![Refusal {
            change: 2,
            reason: RefusalReason::RoundClosed,
            quarantined: true,
        }],
        cursor: Some(Cursor(8, LogMark([8; 8]))),
        acknowledged: Some(Cursor(9, LogMark([9; 8]))),
        unknown_cursor: true,
        erased: vec![ErasedResponse {
            round: RoundId(uuid::Uuid::from_u128(3)),
            unit: "28249-01-0007".to_owned(),
        }],
        reconciliation: Some(ByteBuf::from([1, 2])),
        more: true,
        ..nothing()
    };
    for sent in [nothing(), much] {
        assert_eq!(decode(&encode(&sent).unwrap(), &Limits::default()), Ok(sent));
    }
}

#[test]
fn an_answer_is_read_whatever_the_form_of_its_changes() {
    let id = crate::identity::ResponseId::of(RoundId(uuid::Uuid::nil()), "A1");
    let change = genesis::document(id).unwrap().get_changes(&[]).remove(0);
    let sent = SyncResponse {
        responses: vec![ResponseChanges {
            round: RoundId(uuid::Uuid::nil()),
            unit: "A1".to_owned(),
            changes: vec![ByteBuf::from(change.raw_bytes())],
        }],
        ..nothing()
    };
    let holds_the_change = |form| {
        let inflated = answer_to_cbor(&sent, form).unwrap();
        let whole = change.raw_bytes();
        inflated.windows(whole.len()).any(|window| window == whole)
    };
    assert!(holds_the_change(Form::Plain) && !holds_the_change(Form::Packed));
    for form in [Form::Packed, Form::Plain] {
        let bytes = encode_answer(&sent, form).unwrap();
        assert_eq!(decode(&bytes, &Limits::default()).as_ref(), Ok(&sent));
    }
}

#[test]
fn what_is_not_there_is_left_out() {
    let sent = SyncRequest {
        cursor: None,
        ..request(PROTOCOL_VERSION)
    };
    let inflated = sent.to_cbor().unwrap();
    for name in ["cursor", "acknowledged", "restoring", "reconciliation", "plain"] {
        let found = inflated.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(!found, "{name}");
    }
}

#[test]
fn a_later_version_is_named_even_where_its_shape_is_unknown() {
    #[derive(Serialize)]
    struct Later {
        version: u16,
        frobnications: Vec<u8>,
    }
    let later = Later {
        version: 9,
        frobnications: vec![1],
    };
    let bytes = compressed(&to_cbor(&later).unwrap());
    assert_eq!(
        decode_request(&bytes, &Limits::default()),
        Err(WireError::UnsupportedVersion {
            version: 9,
            spoken: PROTOCOL_VERSION
        })
    );
}

#[test]
fn a_decompression_bomb_is_refused() {
    let bomb = compressed(&vec![0; 40 << 20]);
    assert!(bomb.len() < 4 << 10);
    let limits = Limits::default();
    let refused = Err(WireError::InflatedTooLarge {
        limit: limits.inflated_bytes,
    });
    assert_eq!(decode_request(&bomb, &limits), refused);
}

#[test]
fn the_window_holds_the_message() {
    for (length, bits) in [
        (0, 18),
        ((1 << 18) - 16, 18),
        ((1 << 18) - 15, 19),
        (3 << 20, 22),
        (usize::MAX, 22),
    ] {
        assert_eq!(window(length), bits, "{length} bytes");
    }
    // What comes again at the far end of a message is found there, however long the message is.
    let noise: Vec<u8> = (0u32..150_000)
        .flat_map(|number| number.wrapping_mul(number ^ 0x9e37_79b9).to_be_bytes())
        .collect();
    let once = compressed(&noise).len();
    let twice = compressed(&noise.repeat(2)).len();
    assert!(twice < once + once / 100, "{twice} after {once}");
}

#[test]
fn every_coding_gives_back_what_it_compressed_and_nothing_else() {
    let sent = request(PROTOCOL_VERSION);
    let limits = Limits::default();
    for coding in Coding::ALL.iter().copied() {
        assert_eq!(Coding::named(&coding.name().to_uppercase()), Some(coding));
        let bytes = encode_as(&sent, coding).unwrap();
        assert_eq!(decode_as(&bytes, coding, &limits), Ok(sent.clone()));
        let refused = Err(WireError::NotCompressed { coding: coding.name() });
        for length in 0..bytes.len() {
            assert_eq!(
                decode_as::<SyncRequest>(&bytes[..length], coding, &limits),
                refused,
                "{length} bytes"
            );
        }
        for other in Coding::ALL.iter().filter(|other| **other != coding) {
            assert!(decode_as::<SyncRequest>(&bytes, *other, &limits).is_err());
        }
        let bomb = coding.compress(&vec![0; limits.inflated_bytes + 1]).unwrap();
        let refused = Err(WireError::InflatedTooLarge {
            limit: limits.inflated_bytes,
        });
        assert_eq!(decode_as::<SyncRequest>(&bomb, coding, &limits), refused);
    }
    assert_eq!(Coding::named("gzip"), None);
}

#[test]
fn windows_beyond_those_of_brotli_are_refused() {
    let params = ::brotli::enc::BrotliEncoderParams {
        quality: 5,
        lgwin: 30,
        large_window: true,
        ..Default::default()
    };
    let mut writer = ::brotli::CompressorWriter::with_params(Vec::new(), BUFFER, &params);
    writer.write_all(&request(PROTOCOL_VERSION).to_cbor().unwrap()).unwrap();
    let refused = decode_request(&writer.into_inner(), &Limits::default());
    assert_eq!(refused, Err(WireError::NotCompressed { coding: "br" }));
}

#[test]
fn rubbish_is_refused_with_its_place() {
    let limits = Limits::default();
    assert_eq!(
        decode_request(b"\xff\xff\xff rubbish", &limits),
        Err(WireError::NotCompressed { coding: "br" })
    );

    let mut cut = request(PROTOCOL_VERSION).to_cbor().unwrap();
    let whole = cut.len();
    cut.truncate(whole - 1);
    let place = match decode_request(&compressed(&cut), &limits) {
        Err(WireError::Malformed { byte, .. }) => byte,
        other => panic!("{other:?}"),
    };
    assert_eq!(place, whole - 1);

    cut = request(PROTOCOL_VERSION).to_cbor().unwrap();
    cut.push(0);
    let trailing = decode_request(&compressed(&cut), &limits);
    assert!(matches!(trailing, Err(WireError::Malformed { byte, .. }) if byte == whole));
}

#[test]
fn deep_nesting_and_false_lengths_cost_nothing() {
    let limits = Limits::default();
    let nested = vec![0x81; 1 << 17];
    assert!(matches!(
        decode_request(&compressed(&nested), &limits),
        Err(WireError::Malformed { .. })
    ));
    // An array that claims 2^63 items.
    let endless = [0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert!(matches!(
        decode_request(&compressed(&endless), &limits),
        Err(WireError::Malformed { .. })
    ));
}
