//! The address of a household that was added in the field: in the document like an answer, and none.

// What cannot be set up fails the test.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut as _};
use sync_core::ActorId;
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{ADDRESS_CHARACTERS, Edit, Response, ResponseError};
use uuid::Uuid;

fn new() -> Response {
    Response::new(ResponseId::of(RoundId(Uuid::nil()), "28249-01+9f3a60c1d27b")).unwrap()
}

/// Edits as the device with this number, and says whether that wrote anything.
fn edit(
    response: &mut Response,
    device: u8,
    edit: impl FnOnce(&mut Edit<'_>) -> Result<(), ResponseError>,
) -> Result<bool, ResponseError> {
    let ((), change) = response.edit(&ActorId::from([device; 16]), 1_760_000_000, edit)?;
    Ok(change.is_some())
}

#[test]
fn an_address_is_no_answer_and_a_correction_no_conflict() {
    let mut one = new();
    assert!(edit(&mut one, 1, |edit| edit.list_household(" Chòi lá\tven\n kênh ")).unwrap());
    assert!(!edit(&mut one, 1, |edit| edit.list_household("Chòi lá ven kênh")).unwrap());
    let reading = one.read();
    assert_eq!(reading.address.as_deref(), Some("Chòi lá ven kênh"));
    assert_eq!(reading.answers, AnswerMap::default());

    let mut other = new();
    other.merge(&one).unwrap();
    edit(&mut one, 1, |edit| edit.list_household("Cạnh cầu Bà Tồn")).unwrap();
    edit(&mut other, 2, |edit| edit.list_household("Sau quán cà phê")).unwrap();
    one.merge(&other).unwrap();
    other.merge(&one).unwrap();
    assert_eq!(one.read().address, other.read().address);
    assert_eq!(one.read().conflicts, []);
    // Whoever has seen both has the last word.
    edit(&mut other, 2, |edit| edit.list_household("Số 1B")).unwrap();
    one.merge(&other).unwrap();
    assert_eq!(one.read().address.as_deref(), Some("Số 1B"));
}

#[test]
fn no_question_can_stand_where_the_address_is() {
    let mut response = new();
    let reserved = edit(&mut response, 1, |edit| {
        edit.put_answer(&AnswerPath::top("@address"), &"Hẻm 1".into())
    });
    assert!(matches!(reserved, Err(ResponseError::ReservedName { .. })));
    assert_eq!(response.read().address, None);
}

proptest! {
    #[test]
    fn an_address_is_one_line_of_bounded_length(text in "\\PC{0,30}[ \t\n]{0,3}\\PC{0,220}") {
        let mut response = new();
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        let fits = (1..=ADDRESS_CHARACTERS).contains(&line.chars().count());
        match edit(&mut response, 1, |edit| edit.list_household(&text)) {
            Ok(_) => {
                prop_assert!(fits);
                prop_assert_eq!(response.read().address, Some(line));
            }
            Err(error) => {
                let is_refused = matches!(error, ResponseError::Address { .. });
                prop_assert!(!fits && is_refused);
                prop_assert_eq!(response.read().address, None);
            }
        }
    }
}
