//! `tests/vectors/exchanges.json`: whole exchanges, with every value that their bytes stand on, for whoever writes another
//! client. They are what our code writes today; `tests/oracles/vectors.py`, which shares no code with it, computes all of
//! them again. Run with `KHAOSAT_UPDATE=1` to write them anew, and look at the change.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

mod device;
mod server;
mod told;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;

use khaosat_tests::installation::repository;
use khaosat_tests::python::python;
use serde_json::Value as Json;
use sync_core::device::{AttestationSignature, DeviceKey, DevicePublicKey};
use sync_core::exchange::packing::Form;
use sync_core::exchange::wire::{self, Message as _};
use sync_core::exchange::{Limits, SyncRequest, SyncResponse, attested_hashes};

fn path() -> PathBuf {
    repository().join("tests/vectors/exchanges.json")
}

fn committed() -> Json {
    serde_json::from_slice(&std::fs::read(path()).unwrap()).unwrap()
}

fn bytes(hex: &Json) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    let byte = |place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

#[test]
fn the_vectors_are_what_is_written_today() {
    let written = format!("{:#}\n", world::vectors());
    if std::env::var_os("KHAOSAT_UPDATE").is_some() {
        std::fs::write(path(), &written).unwrap();
    }
    let kept = std::fs::read_to_string(path()).unwrap_or_default();
    let differs = kept
        .lines()
        .zip(written.lines())
        .find(|(kept, written)| kept != written);
    assert!(
        kept == written,
        "tests/vectors/exchanges.json is not what is written today; run with KHAOSAT_UPDATE=1 and look at the change. First \
         difference: {differs:#?}"
    );
}

#[test]
fn every_form_of_a_message_reads_as_the_same() {
    let vectors = committed();
    let limits = Limits::default();
    let mut refusals = BTreeSet::new();
    for exchange in vectors["exchanges"].as_array().unwrap() {
        let name = exchange["name"].as_str().unwrap();
        let (request, answer) = (&exchange["request"], &exchange["answer"]);
        let read = |form: &str| SyncRequest::from_cbor(&bytes(&request[form]["cbor"]), &limits).unwrap();
        let (packed, plain) = (read("packed"), read("plain"));
        assert_eq!(
            (packed.answer_form, plain.answer_form),
            (Form::Packed, Form::Plain),
            "{name}"
        );
        let expected = SyncRequest {
            answer_form: Form::Plain,
            ..packed.clone()
        };
        assert_eq!(plain, expected, "{name}");
        let compressed = wire::decode_request(&bytes(&request["packed"]["brotli"]), &limits);
        assert_eq!(compressed.as_ref(), Ok(&packed), "{name}");
        let hashes = attested_hashes(&packed);
        for (attestation, hashes) in packed.attestations.iter().zip(&hashes) {
            let signed = attestation.device.verify_attestation(hashes, &attestation.signature);
            assert_eq!(signed, Ok(()), "{name}");
        }

        let read = |form: &str| SyncResponse::from_cbor(&bytes(&answer[form]["cbor"]), &limits).unwrap();
        assert_eq!(read("packed"), read("plain"), "{name}");
        let compressed = wire::decode(&bytes(&answer["plain"]["brotli"]), &limits);
        assert_eq!(compressed, Ok(read("plain")), "{name}");
        refusals.extend(read("plain").refused.iter().map(|refusal| refusal.reason.to_string()));
    }
    assert_eq!(refusals.len(), 3, "{refusals:?}");
}

#[test]
fn the_signatures_hold_for_what_they_sign_and_nothing_else() {
    let vectors = committed();
    for device in vectors["devices"].as_array().unwrap() {
        let secret: [u8; 32] = bytes(&device["secret"]).try_into().unwrap();
        let key = DeviceKey::from_secret(&secret).public();
        assert_eq!(key, DevicePublicKey(bytes(&device["public_key"]).try_into().unwrap()));
        let enrolment = &device["enrolment"];
        let code = enrolment["code"].as_str().unwrap();
        let mut signature: [u8; 64] = bytes(&enrolment["signature"]).try_into().unwrap();
        assert_eq!(key.verify_enrolment(code, &signature), Ok(()));
        signature[5] ^= 1;
        assert!(key.verify_enrolment(code, &signature).is_err());
        assert!(key.verify_attestation(&[], &AttestationSignature(signature)).is_err());
    }
}

/// What Python says of each of these vectors.
fn judged(vectors: &[Json]) -> Vec<Json> {
    let folder = tempfile::tempdir().unwrap();
    let files = vectors.iter().enumerate().map(|(number, vectors)| {
        let path = folder.path().join(number.to_string());
        std::fs::write(&path, vectors.to_string()).unwrap();
        path
    });
    let output = python("vectors.py").args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn another_implementation_computes_the_same() {
    let vectors = committed();
    let counts = &judged(std::slice::from_ref(&vectors))[0];
    assert!(counts["wrong"].is_null(), "{}", counts["wrong"]);
    for (part, told) in vectors.as_object().unwrap() {
        let count = told.as_array().unwrap().len();
        assert!(count > 0, "{part}");
        assert_eq!(counts[part], count, "{part}");
    }
}

/// The check in Python is worth something only when it fails where a value is wrong.
#[test]
fn another_implementation_notices_every_kind_of_wrong_value() {
    let vectors = committed();
    let wrong = WRONG.map(|(place, _)| {
        let mut wrong = vectors.clone();
        let value = wrong.pointer_mut(place).unwrap_or_else(|| panic!("nothing at {place}"));
        *value = match value {
            // Another digit in the middle, where a message has its contents.
            Json::String(text) if hex_digits(text) => {
                let middle = text.len() / 2;
                let digit = if &text[middle..=middle] == "0" { "1" } else { "0" };
                Json::from(format!("{}{digit}{}", &text[..middle], &text[middle + 1..]))
            }
            _ => Json::from("wrong"),
        };
        wrong
    });
    for ((place, complaint), judgement) in WRONG.iter().zip(judged(&wrong)) {
        let told = judgement["wrong"]
            .as_str()
            .unwrap_or_else(|| panic!("nothing is wrong with {place}"));
        assert!(told.contains(complaint), "{place}: {told}");
    }
}

/// Where a value is made wrong, and what the complaint is about; nothing where bytes may become wrong in any way.
const WRONG: [(&str, &str); 20] = [
    ("/devices/0/public_key", "public key"),
    ("/devices/0/actor", "actor"),
    ("/devices/1/enrolment/signature", "signature of an enrolment"),
    ("/responses/0/response", "response"),
    ("/responses/0/genesis", "genesis"),
    ("/responses/1/genesis_hash", "hash of a genesis"),
    ("/changes/0/chunk", ""),
    ("/changes/1/hash", "hash"),
    ("/changes/1/operations/2/value", "change"),
    ("/log/2/mark", "mark"),
    ("/exchanges/0/request/packed/cbor", ""),
    ("/exchanges/0/request/packed/brotli", ""),
    ("/exchanges/0/request/plain/cbor", ""),
    ("/exchanges/0/request/fields/attestations/0/3", "request: fields"),
    ("/exchanges/0/request/groups/0/changes/0", "request: changes"),
    ("/exchanges/1/answer/packed/cbor", ""),
    ("/exchanges/1/answer/fields/cursor/1", "answer: fields"),
    ("/packings/2/packed", ""),
    ("/packings/2/plain", ""),
    ("/answers/0/answers/note", "answers"),
];

fn hex_digits(text: &str) -> bool {
    text.len() > 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
