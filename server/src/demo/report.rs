//! The table at the end of the demo.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde::Serialize;

use super::network::{self, Break};
use crate::cli::{EstimateFormat, Failure, indicator_table};
use crate::config::MessageLanguage;
use crate::estimates::{Coverage, IndicatorView, Overview};

/// How often the server is asked whether all figures are current.
const ATTEMPTS: u32 = 2400;
const PATIENCE: Duration = Duration::from_millis(250);

/// What the demo prints.
pub(super) struct Report {
    overview: Overview,
    address: SocketAddr,
    seed: u64,
    teams: usize,
}

/// The same as one JSON document. Everything but the address follows from the seed and the number of households.
#[derive(Serialize)]
struct Document<'a> {
    simulated: bool,
    seed: u64,
    teams: usize,
    devices: usize,
    address: String,
    coverage: &'a Coverage,
    indicators: &'a [IndicatorView],
}

/// Fetches the figures once they contain everything that the phones delivered.
pub(super) async fn fetch(address: SocketAddr, seed: u64, teams: usize) -> Result<Report, Failure> {
    for _ in 0..ATTEMPTS {
        let request = Request::builder()
            .uri("/api/v1/overview")
            .body(Full::new(Bytes::new()))
            .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
        if let Ok(answer) = network::send(address, request, Break::Never).await
            && answer.status().is_success()
        {
            let overview: Overview = serde_json::from_slice(answer.body())
                .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
            if overview.page.freshness.sequence >= overview.page.freshness.log_head {
                return Ok(Report {
                    overview,
                    address,
                    seed,
                    teams,
                });
            }
        }
        tokio::time::sleep(PATIENCE).await;
    }
    Err(Failure::new(
        "máy chủ chưa tính xong ước lượng",
        "the server's figures do not become current",
    ))
}

impl Report {
    /// Prints the table on standard output.
    pub(super) fn print(&self, format: EstimateFormat, language: MessageLanguage) -> Result<(), Failure> {
        match format {
            EstimateFormat::Table => {
                println!("{}", indicator_table(&self.overview, language));
                let coverage = &self.overview.page.coverage;
                println!(
                    "Dữ liệu mô phỏng. {} / {} hộ, {} ấp và khu phố, {} câu có hai câu trả lời khác nhau.",
                    coverage.received, coverage.expected, coverage.sampled_hamlets, coverage.open_conflicts
                );
                println!(
                    "(Simulated data. {} of {} households, {} hamlets, {} open conflicts.)  http://{}/",
                    coverage.received,
                    coverage.expected,
                    coverage.sampled_hamlets,
                    coverage.open_conflicts,
                    self.address
                );
            }
            EstimateFormat::Json => {
                let document = Document {
                    simulated: true,
                    seed: self.seed,
                    teams: self.teams,
                    devices: 2 * self.teams,
                    address: format!("http://{}/", self.address),
                    coverage: &self.overview.page.coverage,
                    indicators: &self.overview.indicators,
                };
                let json = serde_json::to_string_pretty(&document)
                    .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
                println!("{json}");
            }
        }
        Ok(())
    }
}
