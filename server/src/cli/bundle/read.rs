//! `khaosat bundle read`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use sync_core::bundle::{BundleLimits, BundleReader, RecipientSecret};

use super::{Failure, Report, ReportFormat, open, print_json, read_limited};
use crate::config::Config;
use crate::devices::InstallationKeys;
use crate::store::{DataFolder, Store};
use crate::sync::bundles::TakenBundle;

/// What to read.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReadArguments {
    /// The bundle files to take in, in any order
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// What became of one bundle.
#[derive(Debug, Serialize)]
struct ReadReport {
    #[serde(flatten)]
    bundle: Report,
    /// Changes that were not here before.
    new: u64,
    /// Changes that were here already.
    known: u64,
    /// Changes that are kept until what they depend on comes.
    waiting: u64,
}

pub(super) async fn run(arguments: ReadArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let keys = InstallationKeys::existing(folder.path())?;
    let key = keys.as_ref().map(|keys| &keys.sealing);
    let store = Store::open(&folder.database()).await?;
    let mut reports = Vec::new();
    let mut failed = None;
    // One unreadable bundle does not keep the others from being read.
    for file in &arguments.files {
        if let Err(failure) = read_file(&store, file, key, &mut reports).await {
            failed = failed.or(Some(failure));
        }
    }
    for report in &reports {
        failed = failed.or(report.bundle.failure());
    }
    store.close().await;
    match arguments.format {
        ReportFormat::Json => print_json(&reports)?,
        ReportFormat::Text => reports.iter().for_each(print),
    }
    failed.map_or(Ok(()), Err)
}

/// Reads every bundle of a file: phones rescue what they could not send as one sealed bundle a change.
async fn read_file(
    store: &Store,
    file: &Path,
    key: Option<&RecipientSecret>,
    reports: &mut Vec<ReadReport>,
) -> Result<(), Failure> {
    let bytes = read_limited(file, BundleLimits::default().file_bytes)?;
    let mut rest = Some(bytes.as_slice());
    while let Some(bytes) = rest {
        let reader = open(file, bytes)?;
        reports.push(read(store, file, &reader, key).await?);
        rest = reader.following();
    }
    Ok(())
}

async fn read(
    store: &Store,
    file: &Path,
    reader: &BundleReader<'_>,
    key: Option<&RecipientSecret>,
) -> Result<ReadReport, Failure> {
    let taken = TakenBundle::of(store, reader, key).await?;
    let mut report = ReadReport {
        bundle: Report::of(file, reader),
        new: taken.new,
        known: taken.known,
        waiting: taken.waiting,
    };
    report.bundle.changes = taken.changes;
    for (number, error) in &taken.failed {
        report.bundle.section_failed(*number, error);
    }
    for refused in &taken.refused {
        report.bundle.refuse(refused.reason);
    }
    Ok(report)
}

fn print(report: &ReadReport) {
    let ReadReport {
        bundle,
        new,
        known,
        waiting,
    } = report;
    let refused: u64 = bundle.refused.values().sum();
    println!(
        "{}: {new} thay đổi mới, {known} đã có, {waiting} đang chờ, {refused} bị từ chối. \
         ({new} new, {known} known, {waiting} waiting, {refused} refused)",
        bundle.file
    );
    for (reason, count) in &bundle.refused {
        println!("  {reason}: {count}");
    }
}
