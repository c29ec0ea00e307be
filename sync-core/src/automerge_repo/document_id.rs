//! automerge-repo's names of documents.
//!
//! A `DocumentId` is Base58Check of 16 bytes: the bytes and the first four of their double SHA-256, as a number in the 58
//! digits that are not mistaken for one another. Source: Bitcoin's Base58Check, as the package `bs58check` writes it.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::identity::ResponseId;

const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Bytes of an id, and of its checksum.
const ID: usize = 16;
const CHECKSUM: usize = 4;
const WHOLE: usize = ID + CHECKSUM;
/// Digits of 20 bytes at most: 160 bits at log2(58) bits a digit.
const LONGEST: usize = 28;

/// The name of a response's document in automerge-repo; `automerge:` before it makes the document's URL.
pub fn document_id(response: ResponseId) -> String {
    let id = response.0.as_bytes();
    let mut number = [0u8; WHOLE];
    number[..ID].copy_from_slice(id);
    number[ID..].copy_from_slice(&checksum(id));
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let mut digits = Vec::with_capacity(LONGEST);
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = (value / 58) as u8;
            rest = value % 58;
        }
        digits.push(DIGITS[rest as usize]);
    }
    // Each leading zero byte is a digit of its own.
    digits.extend(std::iter::repeat_n(DIGITS[0], zeros));
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// The response of a document with this name; none where the text is no Base58Check of 16 bytes.
pub fn response_of(document_id: &str) -> Option<ResponseId> {
    if document_id.len() > LONGEST {
        return None;
    }
    let mut number = [0u8; WHOLE];
    for digit in document_id.bytes() {
        let mut carry = u32::try_from(DIGITS.iter().position(|known| *known == digit)?).ok()?;
        for byte in number.iter_mut().rev() {
            let value = u32::from(*byte) * 58 + carry;
            *byte = value as u8;
            carry = value >> 8;
        }
        if carry > 0 {
            return None;
        }
    }
    let (id, sum) = number.split_at(ID);
    let response = ResponseId(Uuid::from_slice(id).ok()?);
    // One number has one name: with other leading digits it would be another length of bytes.
    (sum == checksum(id) && self::document_id(response) == document_id).then_some(response)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let [first, second, third, fourth, ..] = <[u8; 32]>::from(Sha256::digest(Sha256::digest(bytes)));
    [first, second, third, fourth]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NIL: &str = "11111111111111114Ki9Gx";
    const MAX: &str = "4ZrjxJnU1LA5xSyrWMNuXTozYEvA";
    const EXAMPLE: &str = "4HyGYF4mBGYcPG36N8U1jHPVjHFJ";
    const ZEROS: &str = "111HtyLLD4gfAULJ9PrNFhEQt3";

    fn named(text: &str) -> String {
        document_id(ResponseId(text.parse().unwrap()))
    }

    /// The names are what the package `bs58check` 3.0.1 gives for the same bytes.
    #[test]
    fn names_are_those_of_bs58check() {
        for (uuid, name) in [
            ("00000000-0000-0000-0000-000000000000", NIL),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", MAX),
            ("ec569536-ff17-5657-ace0-db5ab50d78e1", EXAMPLE),
            ("0000001f-0000-5000-8000-000000000001", ZEROS),
        ] {
            assert_eq!(named(uuid), name);
            assert_eq!(response_of(name).unwrap().to_string(), uuid);
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        let mut wrong = EXAMPLE.to_owned();
        wrong.replace_range(3..4, if &EXAMPLE[3..4] == "a" { "b" } else { "a" });
        let longer = format!("1{EXAMPLE}");
        let endless = "z".repeat(1 << 20);
        for text in [
            "",
            "1",
            "0",
            "O",
            "ế",
            &EXAMPLE[1..],
            &wrong,
            &longer,
            &endless,
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert_eq!(
                response_of(text),
                None,
                "{}",
                &text.chars().take(40).collect::<String>()
            );
        }
    }

    proptest! {
        #[test]
        fn a_name_leads_back(bytes: [u8; 16]) {
            let response = ResponseId(Uuid::from_bytes(bytes));
            prop_assert_eq!(response_of(&document_id(response)), Some(response));
        }

        #[test]
        fn rubbish_never_panics(text: String) {
            let _ = response_of(&text);
        }
    }
}
