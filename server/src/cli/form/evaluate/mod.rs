//! `khaosat form eval`.

mod answers;
mod batch;
mod clock;
mod outcome;
mod subject;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::Value as Json;
use survey_forms::xpath::document::MAX_DOCUMENT_BYTES;
use survey_forms::xpath::{EvaluationContext, RandomSeed, RegexMatching, Tree};

use super::load::{UNREADABLE, load_form, read_limited};
use super::{Failure, worded};
use crate::config::MessageLanguage;
use subject::Subject;

/// Evaluate an expression over a filled form or any XML document.
///
/// The result is one JSON object: its type (number, string, boolean or nodeset), its value, what the value is as number,
/// string and boolean, and the nodes with their paths. With --batch, one JSON case a line gives one JSON result a line.
#[derive(Debug, Args)]
#[command(
    after_help = "A case of --batch: {\"id\": …, \"expression\": …, \"xml\": … or \"answers\": {…}, \"context\": …, \
                  \"now\": …, \"time_zone\": …, \"language\": …, \"namespaces\": {prefix: URI}}; all but the expression may be missing.\n\n\
                  Exit code: 0 evaluated, 1 an error in the expression, answers or form (in a batch: of any case), 2 a \
                  file that cannot be read."
)]
pub(in crate::cli) struct EvaluateArguments {
    /// The form's file (none with --xml), then the expression (none with --batch); put -- before an expression that
    /// begins with a minus
    #[arg(value_name = "FILE EXPRESSION", num_args = 0..=2)]
    operands: Vec<String>,
    /// JSON file of answers: {"question": value, "group": {…}, "repeat": [{…}, …]}, null for blank
    #[arg(long, value_name = "FILE", conflicts_with = "xml")]
    answers: Option<PathBuf>,
    /// Put the form's defaults into what the answers leave out, as a newly opened form has them
    #[arg(long, conflicts_with = "xml")]
    defaults: bool,
    /// Evaluate over this XML document rather than a form; in a whole XForm /data/… begins at its primary instance
    #[arg(long, value_name = "FILE")]
    xml: Option<PathBuf>,
    /// What a prefix in the expression means in the document; may be given several times
    #[arg(long, value_name = "PREFIX=URI", value_parser = prefix_and_uri)]
    namespace: Vec<(String, String)>,
    /// Where to evaluate: an XPath that gives exactly one node, such as /data/members[2]/age [default: the root]
    #[arg(long, value_name = "PATH")]
    context: Option<String>,
    /// What now() and today() say, as 2026-11-25T10:00:00+07:00 [default: the clock]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// How local time differs from UTC [default: that of --now, else of the system]
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    time_zone: Option<String>,
    /// What regex() compares with its pattern [default: whole over a form, part over another document]
    #[arg(long, value_name = "EXTENT")]
    regex: Option<RegexExtent>,
    /// Number that random(), uuid() and randomize() begin with [default: drawn by the system]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// JSON lines of cases to evaluate, - for standard input
    #[arg(long, value_name = "FILE")]
    batch: Option<PathBuf>,
}

/// What `regex()` compares with its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RegexExtent {
    /// The whole text, as ODK Collect does
    Whole,
    /// Any part of it, as ODK Web Forms does
    Part,
}

fn prefix_and_uri(written: &str) -> Result<(String, String), String> {
    let (prefix, uri) = written
        .split_once('=')
        .filter(|(prefix, uri)| !prefix.is_empty() && !uri.is_empty())
        .ok_or_else(|| "viết là tiền tố=URI; write PREFIX=URI".to_owned())?;
    Ok((prefix.to_owned(), uri.to_owned()))
}

pub(super) fn run(arguments: &EvaluateArguments, language: MessageLanguage) -> Result<ExitCode, Failure> {
    let (file, expression) = operands(arguments)?;
    let source = source(arguments, file)?;
    let defaults = batch::Defaults {
        context: arguments.context.as_deref(),
        now: arguments.now.as_deref(),
        time_zone: arguments.time_zone.as_deref(),
        // A document says itself which of its languages comes first.
        language: if arguments.xml.is_some() {
            ""
        } else {
            worded(language, "vi", "en")
        },
        namespaces: &arguments.namespace,
        // ODK Collect, which fills forms, and the ODK XForms specification differ.
        regex_matching: match arguments.regex {
            Some(RegexExtent::Whole) => RegexMatching::Whole,
            Some(RegexExtent::Part) => RegexMatching::Part,
            None if arguments.xml.is_some() => RegexMatching::Part,
            None => RegexMatching::Whole,
        },
        random_seed: random_seed(arguments.seed)?,
    };
    let Some(expression) = expression else {
        let cases = arguments.batch.as_deref().unwrap_or(Path::new("-"));
        return batch::run(cases, &source, &defaults);
    };
    let context = defaults.evaluation(None, None, None)?;
    let subject = source.subject(&context)?;
    let outcome = subject.evaluate(expression, defaults.context.unwrap_or("/"), &context)?;
    let mut output = std::io::stdout().lock();
    serde_json::to_writer(&mut output, &outcome).map_err(std::io::Error::from)?;
    writeln!(output)?;
    Ok(ExitCode::SUCCESS)
}

/// The form's file and the expression, of which each may be missing.
fn operands(arguments: &EvaluateArguments) -> Result<(Option<&Path>, Option<&str>), Failure> {
    let operands: Vec<&str> = arguments.operands.iter().map(String::as_str).collect();
    let (has_xml, has_batch) = (arguments.xml.is_some(), arguments.batch.is_some());
    match (operands.as_slice(), has_xml, has_batch) {
        ([file, expression], false, false) => Ok((Some(Path::new(*file)), Some(*expression))),
        ([file], false, true) => Ok((Some(Path::new(*file)), None)),
        ([expression], true, false) => Ok((None, Some(*expression))),
        ([], _, true) => Ok((None, None)),
        _ => Err(Failure::new(
            "cần tệp biểu mẫu và biểu thức: khaosat form eval TỆP 'BIỂU THỨC'; với --xml chỉ cần biểu thức, với --batch \
             không có biểu thức",
            "give the form's file and the expression: khaosat form eval FILE 'EXPRESSION'; with --xml the expression \
             alone, with --batch none",
        )
        .with_exit_code(UNREADABLE)),
    }
}

/// What the command line names to evaluate over.
#[derive(Debug)]
enum Source {
    /// A form; its answers, and whether what they leave out has its default.
    Form {
        form: Box<survey_forms::model::Form>,
        answers: Json,
        with_defaults: bool,
    },
    /// A document, read once.
    Document(Box<Tree>),
    /// Nothing: each case of a batch brings its document.
    None,
}

impl Source {
    fn subject(&self, context: &EvaluationContext) -> Result<Subject<'_>, Failure> {
        match self {
            Self::Form {
                form,
                answers,
                with_defaults,
            } => Subject::filled(form, answers, *with_defaults, context),
            Self::Document(document) => Ok(Subject::Document(document)),
            Self::None => Err(Failure::new(
                "trường hợp này không có tài liệu xml, và dòng lệnh không nêu biểu mẫu hay --xml",
                "the case brings no xml document, and the command line names neither a form nor --xml",
            )),
        }
    }
}

fn source(arguments: &EvaluateArguments, file: Option<&Path>) -> Result<Source, Failure> {
    if let Some(path) = &arguments.xml {
        let xml = read_text(path)?;
        let document = subject::document(&xml, &arguments.namespace).map_err(|failure| failure.of_file(path))?;
        return Ok(Source::Document(Box::new(document)));
    }
    let Some(file) = file else {
        return Ok(Source::None);
    };
    let answers = match &arguments.answers {
        Some(path) => serde_json::from_str(&read_text(path)?).map_err(|error| {
            Failure::new(
                format!("không đọc được JSON: {error}"),
                format!("the JSON cannot be read: {error}"),
            )
            .of_file(path)
            .with_exit_code(UNREADABLE)
        })?,
        None => Json::Object(serde_json::Map::new()),
    };
    Ok(Source::Form {
        form: Box::new(load_form(file)?.form),
        answers,
        with_defaults: arguments.defaults,
    })
}

fn random_seed(given: Option<u64>) -> Result<RandomSeed, Failure> {
    let mut bytes = [0; 16];
    match given {
        Some(number) => bytes[..8].copy_from_slice(&number.to_le_bytes()),
        None => getrandom::fill(&mut bytes).map_err(|error| {
            Failure::new(
                format!("hệ thống không cho số ngẫu nhiên: {error}"),
                format!("the system gives no random numbers: {error}"),
            )
        })?,
    }
    Ok(RandomSeed(bytes))
}

/// A file of text in UTF-8.
fn read_text(path: &Path) -> Result<String, Failure> {
    let unreadable = |vi: String, en: String| Failure::new(vi, en).of_file(path).with_exit_code(UNREADABLE);
    let most = MAX_DOCUMENT_BYTES as u64;
    let bytes = read_limited(path, most).map_err(|error| {
        unreadable(
            format!("không đọc được tệp: {error}"),
            format!("the file cannot be read: {error}"),
        )
    })?;
    if bytes.len() as u64 > most {
        return Err(unreadable(
            format!("tệp vượt giới hạn {most} byte"),
            format!("the file has more than the {most} bytes that are allowed"),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let position = error.utf8_error().valid_up_to();
        unreadable(
            format!("tệp không phải UTF-8 (tại byte {position})"),
            format!("the file is not UTF-8 (at byte {position})"),
        )
    })
}
