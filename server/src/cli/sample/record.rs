//! The record beside a sample.

use std::path::Path;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::draw::{AllocationName, MethodName, SecondStageName};

/// What a sample was drawn from, and how: enough to draw it again.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    pub(super) software: &'static str,
    pub(super) version: &'static str,
    pub(super) seed: u64,
    pub(super) generator: &'static str,
    pub(super) frame: FileRecord,
    pub(super) strata_file: Option<FileRecord>,
    pub(super) method: MethodName,
    pub(super) allocation: AllocationName,
    pub(super) minimum: u64,
    pub(super) exponent: Option<f64>,
    pub(super) budget: Option<f64>,
    pub(super) households: Option<u64>,
    pub(super) second_stage: Option<SecondStageName>,
    pub(super) strata: Vec<StratumRecord<'a>>,
    pub(super) sample: FileRecord,
    pub(super) sampled_rows: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct FileRecord {
    pub(super) file: String,
    pub(super) sha256: String,
}

#[derive(Debug, Serialize)]
pub(super) struct StratumRecord<'a> {
    pub(super) stratum: &'a str,
    pub(super) units: u64,
    pub(super) size: u64,
    /// The rule's share before rounding; none where the sizes were given.
    pub(super) share: Option<f64>,
    pub(super) sample: u64,
}

impl FileRecord {
    pub(super) fn of(file: &Path, bytes: &[u8]) -> Self {
        Self {
            // The folder is a matter of this machine.
            file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            sha256: crate::hex::encode(&Sha256::digest(bytes)),
        }
    }
}
