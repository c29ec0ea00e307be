//! `khaosat bundle show`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use sync_core::bundle::{BundleLimits, SectionError};

use super::{Failure, Report, ReportFormat, open, print_json, read_limited};
use crate::config::Config;
use crate::devices::InstallationKeys;

/// What to show.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArguments {
    /// The bundle file to look into
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// What a bundle holds.
#[derive(Debug, Serialize)]
struct ShowReport {
    #[serde(flatten)]
    bundle: Report,
    /// Whether the sections could be looked into; else only their signatures and sizes are known.
    readable: bool,
    /// Responses with changes in the sections that could be read.
    responses: usize,
    /// The public keys of those who wrote them.
    authors: Vec<String>,
    /// The rounds.
    rounds: Vec<String>,
}

pub(super) fn run(arguments: &ShowArguments, config: &Config) -> Result<(), Failure> {
    let bytes = read_limited(&arguments.file, BundleLimits::default().file_bytes)?;
    let reader = open(&arguments.file, &bytes)?;
    // No installation is needed; where there is one, it may be the recipient.
    let keys = InstallationKeys::existing(&config.data)?;
    let key = keys.as_ref().map(|keys| &keys.sealing);
    let mut report = ShowReport {
        bundle: Report::of(&arguments.file, &reader),
        readable: true,
        responses: 0,
        authors: Vec::new(),
        rounds: Vec::new(),
    };
    let (mut responses, mut authors, mut rounds) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for number in 0..reader.section_count() {
        match reader.section(number, key) {
            Ok(section) => {
                report.bundle.changes += section.verdicts.len() as u64;
                for verdict in section.verdicts {
                    match verdict {
                        Ok(admitted) => {
                            responses.insert(admitted.response);
                            authors.insert(admitted.device);
                            rounds.insert(admitted.round);
                        }
                        Err(reason) => report.bundle.refuse(reason),
                    }
                }
            }
            Err(SectionError::Sealed { .. } | SectionError::WrongKey { .. }) => report.readable = false,
            Err(error) => report.bundle.section_failed(number, &error),
        }
    }
    report.responses = responses.len();
    report.authors = authors.iter().map(ToString::to_string).collect();
    report.rounds = rounds.iter().map(ToString::to_string).collect();
    match arguments.format {
        ReportFormat::Json => print_json(&report)?,
        ReportFormat::Text => print(&report),
    }
    report.bundle.failure().map_or(Ok(()), Err)
}

fn print(report: &ShowReport) {
    let bundle = &report.bundle;
    println!("Người chuyển (carrier): {}", bundle.carrier);
    println!("Lúc (created at): {}", bundle.created_at);
    println!("Số phần (sections): {}", bundle.sections);
    if let Some(recipient) = &bundle.recipient {
        println!("Niêm phong cho (sealed to): {recipient}");
    }
    if !report.readable {
        println!(
            "Chữ ký của người chuyển đúng; chỉ người nhận đọc được nội dung. (The carrier's signature holds; only the recipient can read the content.)"
        );
        return;
    }
    println!("Đợt khảo sát (rounds): {}", report.rounds.join(", "));
    println!("Phiếu (responses): {}", report.responses);
    println!("Thay đổi (changes): {}", bundle.changes);
    println!("Người ghi (authors): {}", report.authors.len());
    for author in &report.authors {
        println!("  {author}");
    }
    for (reason, count) in &bundle.refused {
        println!("Không hợp lệ (invalid), {reason}: {count}");
    }
}
