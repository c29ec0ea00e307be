//! Many evaluations in one process: JSON lines in, JSON lines out.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read as _, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use survey_forms::xpath::document::MAX_DOCUMENT_BYTES;
use survey_forms::xpath::{EvaluationContext, RandomSeed, RegexMatching, SignatureVerifier, Tree};
use sync_core::device::DevicePublicKey;

use super::outcome::Outcome;
use super::subject::{self, Subject};
use super::{Source, clock};
use crate::cli::Failure;
use crate::cli::form::load::UNREADABLE;

/// The longest line, in bytes: a document with every character escaped.
const MAX_LINE_BYTES: u64 = 8 * MAX_DOCUMENT_BYTES as u64;

/// What the command line says and a case may say otherwise.
#[derive(Debug)]
pub(super) struct Defaults<'a> {
    pub(super) context: Option<&'a str>,
    pub(super) now: Option<&'a str>,
    pub(super) time_zone: Option<&'a str>,
    pub(super) language: &'a str,
    pub(super) namespaces: &'a [(String, String)],
    pub(super) regex_matching: RegexMatching,
    pub(super) random_seed: RandomSeed,
}

impl Defaults<'_> {
    /// What the engine is told, with what a case says otherwise.
    pub(super) fn evaluation(
        &self,
        now: Option<&str>,
        time_zone: Option<&str>,
        language: Option<&str>,
    ) -> Result<EvaluationContext, Failure> {
        let moment = clock::moment(now.or(self.now), time_zone.or(self.time_zone))?;
        let mut context = EvaluationContext::new(moment, language.unwrap_or(self.language))
            .with_random_seed(self.random_seed)
            .with_signature_verifier(SIGNATURE_VERIFIER);
        context.regex_matching = self.regex_matching;
        Ok(context)
    }
}

/// Signatures are verified as those of devices are.
const SIGNATURE_VERIFIER: SignatureVerifier =
    SignatureVerifier(|key, message, signature| DevicePublicKey(*key).verify(message, signature).is_ok());

/// One line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Given back with the result.
    #[serde(default)]
    id: Json,
    #[serde(alias = "expr")]
    expression: String,
    /// The text of a document.
    xml: Option<String>,
    /// The answers to the form of the command line.
    answers: Option<Json>,
    context: Option<String>,
    now: Option<String>,
    time_zone: Option<String>,
    language: Option<String>,
    namespaces: Option<std::collections::BTreeMap<String, String>>,
}

/// What is written for one line.
#[derive(Debug, Serialize)]
struct Answered {
    id: Json,
    #[serde(flatten)]
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Message>,
}

#[derive(Debug, Serialize)]
struct Message {
    vi: String,
    en: String,
}

/// The document of the last case that brought one: cases over the same document stand together.
struct LastDocument {
    xml: String,
    namespaces: Vec<(String, String)>,
    document: Tree,
}

/// Evaluates the cases of a file, of standard input where it is `-`. Every case is answered, whatever became of others.
pub(super) fn run(cases: &Path, source: &Source, defaults: &Defaults<'_>) -> Result<ExitCode, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            format!("không đọc được {}: {error}", cases.display()),
            format!("cannot read {}: {error}", cases.display()),
        )
        .with_exit_code(UNREADABLE)
    };
    let mut input: Box<dyn BufRead> = if cases == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(cases).map_err(unreadable)?))
    };
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut last = None;
    let mut exit_code = ExitCode::SUCCESS;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        let read = read.map_err(unreadable)? as u64;
        if read == 0 {
            break;
        }
        if read == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
            output.flush()?;
            return Err(Failure::new(
                format!("dòng {number} vượt giới hạn {MAX_LINE_BYTES} byte"),
                format!("line {number} has more than the {MAX_LINE_BYTES} bytes that are allowed"),
            )
            .with_exit_code(UNREADABLE));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answered = answer(&line, number, source, defaults, &mut last);
        if answered.error.is_some() {
            exit_code = ExitCode::FAILURE;
        }
        serde_json::to_writer(&mut output, &answered).map_err(std::io::Error::from)?;
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(exit_code)
}

fn answer(
    line: &[u8],
    number: u64,
    source: &Source,
    defaults: &Defaults<'_>,
    last: &mut Option<LastDocument>,
) -> Answered {
    let case: Case = match serde_json::from_slice(line) {
        Ok(case) => case,
        Err(error) => {
            return Answered::failed(
                Json::Null,
                Failure::new(
                    format!("dòng {number} không phải trường hợp hợp lệ: {error}"),
                    format!("line {number} is no case: {error}"),
                ),
            );
        }
    };
    let id = case.id.clone();
    match evaluate(case, source, defaults, last) {
        Ok(outcome) => Answered {
            id,
            outcome: Some(outcome),
            error: None,
        },
        Err(failure) => Answered::failed(id, failure),
    }
}

impl Answered {
    fn failed(id: Json, failure: Failure) -> Self {
        Self {
            id,
            outcome: None,
            error: Some(Message {
                vi: failure.text.vi,
                en: failure.text.en,
            }),
        }
    }
}

fn evaluate(
    case: Case,
    source: &Source,
    defaults: &Defaults<'_>,
    last: &mut Option<LastDocument>,
) -> Result<Outcome, Failure> {
    let context = defaults.evaluation(case.now.as_deref(), case.time_zone.as_deref(), case.language.as_deref())?;
    let at = case.context.as_deref().or(defaults.context).unwrap_or("/");
    let subject = match (case.xml, &case.answers, source) {
        (Some(xml), _, _) => {
            let namespaces = case
                .namespaces
                .map_or_else(|| defaults.namespaces.to_vec(), |given| given.into_iter().collect());
            Subject::Document(document(xml, namespaces, last)?)
        }
        (
            None,
            Some(answers),
            Source::Form {
                form, with_defaults, ..
            },
        ) => Subject::filled(form, answers, *with_defaults, &context)?,
        _ => source.subject(&context)?,
    };
    subject.evaluate(&case.expression, at, &context)
}

fn document(xml: String, namespaces: Vec<(String, String)>, last: &mut Option<LastDocument>) -> Result<&Tree, Failure> {
    let is_same = |last: &LastDocument| last.xml == xml && last.namespaces == namespaces;
    let kept = last.take().filter(is_same);
    let current = match kept {
        Some(kept) => kept,
        None => LastDocument {
            document: subject::document(&xml, &namespaces)?,
            xml,
            namespaces,
        },
    };
    Ok(&last.insert(current).document)
}
