//! Any text is an expression or is refused; an expression prints as a text that reads as the same expression.
#![no_main]

use libfuzzer_sys::fuzz_target;
use survey_forms::xpath::parse;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(expression) => {
            let printed = expression.to_string();
            let again = parse(&printed).expect("what is printed is readable");
            assert_eq!(again, expression, "printed as {printed}");
        }
        Err(error) => assert!(!error.vietnamese().is_empty() && !error.caret(text).is_empty()),
    }
});
