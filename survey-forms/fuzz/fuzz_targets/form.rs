//! Any Markdown is a form or is refused with a place; a form survives JSON with its hash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use survey_forms::model::Form;
use survey_forms::xlsform;

fuzz_target!(|bytes: &[u8]| {
    match xlsform::read(bytes) {
        Ok(form) => {
            let json = serde_json::to_string(&form).expect("a form is JSON");
            let again: Form = serde_json::from_str(&json).expect("the JSON of a form is a form");
            assert_eq!(again.content_hash(), form.content_hash());
        }
        Err(problems) => assert!(!problems.0.is_empty() && !problems.vietnamese().is_empty()),
    }
});
