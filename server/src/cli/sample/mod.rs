//! `khaosat sample`.

mod draw;
mod frame;
mod plan;
mod record;
mod sharing;

use clap::Subcommand;

use super::{Failure, ReportFormat};
use crate::config::Config;

/// Draw probability samples and plan their size. No installation is needed: frames and samples are CSV files.
#[derive(Debug, Subcommand)]
pub(super) enum SampleCommand {
    /// Rút mẫu: draw a sample from a frame, with every unit's inclusion probability and weight
    Draw(Box<draw::DrawArguments>),
    /// Tính cỡ mẫu: how many interviews a margin of error needs, or what margin they give
    Plan(plan::PlanArguments),
}

pub(super) fn run(command: SampleCommand, config: &Config) -> Result<(), Failure> {
    match command {
        SampleCommand::Draw(arguments) => draw::run(&arguments),
        SampleCommand::Plan(arguments) => plan::run(&arguments, config),
    }
}

impl From<indicators::sampling::SamplingError> for Failure {
    fn from(error: indicators::sampling::SamplingError) -> Self {
        Self::new(error.vietnamese(), error.to_string())
    }
}
