//! `khaosat bundle`.

mod frames;
mod read;
mod show;
mod write;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use sync_core::bundle::{BundleLimits, BundleReader};

use super::Failure;
use crate::config::Config;
use crate::devices::InstallationKeys;
use crate::store::DataFolder;

/// Carry changes by hand: files from one installation or phone to another where no network goes.
#[derive(Debug, Subcommand)]
pub(super) enum BundleCommand {
    /// Ghi gói: write changes of this installation into a bundle file
    Write(write::WriteArguments),
    /// Đọc gói: take the changes of bundle files in; reading a file again changes nothing
    Read(read::ReadArguments),
    /// Xem gói: show what a bundle holds, who wrote it, and whether it is whole
    Show(show::ShowArguments),
    /// Khóa của nơi này: print the keys that others seal bundles to and check signatures by
    Key,
    /// Chiếu gói bằng mã QR: turn a small bundle into QR frames, or frames into the bundle
    Frames(frames::FramesArguments),
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
}

pub(super) async fn run(command: BundleCommand, config: &Config) -> Result<(), Failure> {
    match command {
        BundleCommand::Write(arguments) => write::run(arguments, config).await,
        BundleCommand::Read(arguments) => read::run(arguments, config).await,
        BundleCommand::Show(arguments) => show::run(&arguments, config),
        BundleCommand::Key => key(config),
        BundleCommand::Frames(arguments) => frames::run(&arguments),
    }
}

fn key(config: &Config) -> Result<(), Failure> {
    let keys = InstallationKeys::of(&DataFolder::open(&config.data)?)?;
    println!("{}", keys.sealing.public());
    println!("{}", keys.signing.public());
    eprintln!(
        "Dòng 1: khóa người nhận, để nơi khác niêm phong gói gửi đến đây (--seal-to). Dòng 2: khóa ký của nơi này \
         (device import --from). (Line 1: what others seal bundles to. Line 2: what this installation signs with.)"
    );
    Ok(())
}

/// A file of at most this many bytes.
pub(super) fn read_limited(file: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            format!("không đọc được {}: {error}", file.display()),
            format!("cannot read {}: {error}", file.display()),
        )
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(failed)?;
    opened.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(Failure::new(
            format!("{}: tệp lớn hơn {limit} byte", file.display()),
            format!("{}: the file has more than {limit} bytes", file.display()),
        ));
    }
    Ok(bytes)
}

/// Writes a new file; one that is there already is left alone.
pub(super) fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = std::fs::File::create_new(file).and_then(|mut created| {
        std::io::Write::write_all(&mut created, bytes)?;
        created.sync_all()
    });
    written.map_err(|error| {
        Failure::new(
            format!("không ghi được {}: {error}", file.display()),
            format!("cannot write {}: {error}", file.display()),
        )
    })
}

/// What a bundle holds, or what became of it.
#[derive(Debug, Default, Serialize)]
struct Report {
    file: String,
    /// Who carries it, 64 hexadecimal digits.
    carrier: String,
    /// When it was made by the carrier's clock, RFC 3339.
    created_at: String,
    /// The name of the key that it is sealed to.
    recipient: Option<String>,
    sections: usize,
    /// The sections that could not be read.
    failed_sections: Vec<FailedSection>,
    /// Changes in the sections that could be read.
    changes: u64,
    /// Of them, those that were not taken, by reason.
    refused: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct FailedSection {
    section: usize,
    vi: String,
    en: String,
}

impl Report {
    fn of(file: &Path, reader: &BundleReader<'_>) -> Self {
        let header = reader.header();
        Self {
            file: file.display().to_string(),
            carrier: header.carrier.to_string(),
            created_at: crate::clock::rfc3339(header.created_at),
            recipient: header.recipient.map(|recipient| recipient.to_string()),
            sections: reader.section_count(),
            ..Self::default()
        }
    }

    fn section_failed(&mut self, section: usize, error: &sync_core::bundle::SectionError) {
        self.failed_sections.push(FailedSection {
            section,
            vi: error.vietnamese(),
            en: error.to_string(),
        });
    }

    fn refuse(&mut self, reason: sync_core::exchange::RefusalReason) {
        let name = serde_json::to_value(reason).ok();
        let name = name
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default();
        *self.refused.entry(name).or_default() += 1;
    }

    /// What a command that could not read everything ends with.
    fn failure(&self) -> Option<Failure> {
        let lines = |line: fn(&FailedSection) -> &str| {
            let lines: Vec<&str> = self.failed_sections.iter().map(line).collect();
            lines.join("\n")
        };
        (!self.failed_sections.is_empty()).then(|| {
            Failure::new(
                format!("{}:\n{}", self.file, lines(|failed| &failed.vi)),
                format!("{}:\n{}", self.file, lines(|failed| &failed.en)),
            )
        })
    }
}

fn open<'a>(file: &Path, bytes: &'a [u8]) -> Result<BundleReader<'a>, Failure> {
    BundleReader::open(bytes, BundleLimits::default())
        .map_err(|error| Failure::new(error.vietnamese(), error.to_string()).of_file(file))
}

pub(super) fn print_json<T: Serialize>(document: &T) -> Result<(), Failure> {
    let json = serde_json::to_string(document).map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    println!("{json}");
    Ok(())
}
