//! The bytes of reconciliation are those that another implementation writes: `tests/oracles/reconciliation.py`, made from
//! the description of the protocol. Run with `KHAOSAT_UPDATE=1` (and Python 3) to have it write the vectors anew.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use sync_core::ChangeHash;
use sync_core::exchange::reconciliation::{ChangeSet, Difference, Initiator, Limits, Salt, Step, answer};

fn vectors() -> Json {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let path = tests.join("vectors/reconciliation.json");
    if std::env::var_os("KHAOSAT_UPDATE").is_some() {
        let python = std::env::var_os("KHAOSAT_PYTHON").unwrap_or_else(|| "python3".into());
        let written = Command::new(python)
            .arg(tests.join("oracles/reconciliation.py"))
            .output()
            .unwrap();
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        std::fs::write(&path, written.stdout).unwrap();
    }
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(hex: &Json) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    let byte = |place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn hashes(list: &Json) -> Vec<ChangeHash> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|hash| ChangeHash(bytes(hash).try_into().unwrap()))
        .collect()
}

#[test]
fn both_sides_write_the_bytes_of_the_vectors() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let cells = u16::try_from(case["cells_at_once"].as_u64().unwrap()).unwrap();
        let limits = Limits {
            first_cells: cells,
            answer_cells: cells,
            change_bytes: None,
            ..Limits::default()
        };
        let here: ChangeSet = hashes(&case["here"]).into_iter().collect();
        let there: ChangeSet = hashes(&case["there"]).into_iter().collect();
        let salt = Salt(bytes(&case["salt"]).try_into().unwrap());

        let mut initiator = Initiator::new(here, salt, limits).unwrap();
        let mut step = Step::Ask;
        for exchange in case["exchanges"].as_array().unwrap() {
            assert_eq!(step, Step::Ask, "{name}");
            let request = bytes(&exchange["request"]);
            assert_eq!(initiator.request(), request, "{name}");
            let answered = answer(&there, &request, &limits).unwrap();
            assert_eq!(answered, bytes(&exchange["answer"]), "{name}");
            step = initiator.receive(&answered).unwrap();
        }
        let difference = Difference {
            missing_here: hashes(&case["missing_here"]),
            missing_there: hashes(&case["missing_there"]),
        };
        assert_eq!(step, Step::Reconciled(difference), "{name}");
    }
}
