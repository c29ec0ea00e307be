//! `khaosat sample plan`.

use clap::Args;
use indicators::intervals::ConfidenceLevel;
use indicators::sampling::planning::{PrecisionAim, expected_design_effect, margin_of_error, sample_size};
use serde::Serialize;

use super::{Failure, ReportFormat};
use crate::cli::print_json;
use crate::config::{Config, MessageLanguage};

/// How many interviews a margin of error needs, or, with --interviews, what margin they give.
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArguments {
    /// The margin of error to reach, in percentage points: half the interval's width
    #[arg(long, value_name = "POINTS", required_unless_present = "interviews")]
    margin: Option<f64>,
    /// Tell the margin that so many completed interviews give
    #[arg(long, value_name = "N", conflicts_with = "margin")]
    interviews: Option<u64>,
    /// The proportion to expect, in percent; 50 is the most demanding
    #[arg(long, value_name = "PERCENT", default_value = "50")]
    proportion: f64,
    /// The confidence level, in percent
    #[arg(long, value_name = "PERCENT", default_value = "95")]
    confidence: f64,
    /// How many units there are altogether [default: very many]
    #[arg(long, value_name = "N")]
    population: Option<f64>,
    /// The design effect to expect [default: from --icc and --per-hamlet, or 1]
    #[arg(long, value_name = "DEFF", conflicts_with = "icc")]
    design_effect: Option<f64>,
    /// How alike the households of a hamlet are: the intraclass correlation, from 0 to 1
    #[arg(long, value_name = "RHO", requires = "per_hamlet")]
    icc: Option<f64>,
    /// Interviews in each hamlet
    #[arg(long, value_name = "M", requires = "icc")]
    per_hamlet: Option<f64>,
    /// The squared coefficient of variation of the weights, which adds to the design effect
    #[arg(long, value_name = "V", default_value = "0", requires = "icc")]
    weight_variation: f64,
    /// The share of the approached who will respond, in percent
    #[arg(long, value_name = "PERCENT", default_value = "100")]
    response_rate: f64,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// What a plan comes to. Shares are from 0 to 1.
#[derive(Debug, Serialize)]
struct Plan {
    margin: f64,
    proportion: f64,
    confidence: f64,
    population: Option<f64>,
    design_effect: f64,
    response_rate: f64,
    /// What a simple random sample of very many units would need; none where the interviews were given.
    simple_random: Option<f64>,
    interviews: u64,
    approached: Option<u64>,
    hamlets: Option<u64>,
    exceeds_population: Option<bool>,
}

pub(super) fn run(arguments: &PlanArguments, config: &Config) -> Result<(), Failure> {
    let plan = arguments.plan()?;
    match arguments.format {
        ReportFormat::Json => print_json(&plan),
        ReportFormat::Text => {
            println!("{}", plan.text(config.language));
            Ok(())
        }
    }
}

impl PlanArguments {
    fn plan(&self) -> Result<Plan, Failure> {
        let design_effect = match (self.design_effect, self.icc.zip(self.per_hamlet)) {
            (Some(effect), _) => effect,
            (None, Some((icc, per_hamlet))) => expected_design_effect(per_hamlet, icc, self.weight_variation)?,
            (None, None) => 1.0,
        };
        let aim = PrecisionAim {
            proportion: self.proportion / 100.0,
            margin: self.margin.unwrap_or_default() / 100.0,
            level: ConfidenceLevel::new(self.confidence / 100.0)
                .map_err(|error| Failure::new(error.vietnamese(), error.to_string()))?,
            design_effect,
            population: self.population,
            response_rate: self.response_rate / 100.0,
        };
        let planned = match self.interviews {
            None => Some(sample_size(&aim)?),
            Some(_) => None,
        };
        let interviews = planned
            .map(|planned| planned.interviews)
            .or(self.interviews)
            .unwrap_or_default();
        Ok(Plan {
            margin: margin_of_error(&aim, interviews)?,
            proportion: aim.proportion,
            confidence: aim.level.fraction(),
            population: aim.population,
            design_effect,
            response_rate: aim.response_rate,
            simple_random: planned.map(|planned| planned.simple_random),
            interviews,
            approached: planned.map(|planned| planned.approached),
            hamlets: self
                .per_hamlet
                .map(|per_hamlet| (interviews as f64 / per_hamlet).ceil() as u64),
            exceeds_population: planned.map(|planned| planned.exceeds_population),
        })
    }
}

impl Plan {
    fn text(&self, language: MessageLanguage) -> String {
        let vietnamese = language == MessageLanguage::Vi;
        let decimals = |number: f64| {
            let text = format!("{number:.2}");
            if vietnamese { text.replace('.', ",") } else { text }
        };
        let choose = |vi: &'static str, en: &'static str| if vietnamese { vi } else { en };
        let mut lines = vec![
            (
                choose("Số phiếu hoàn thành", "Interviews to complete"),
                self.interviews.to_string(),
            ),
            (
                choose("Sai số biên, điểm phần trăm", "Margin of error, percentage points"),
                format!("±{}", decimals(self.margin * 100.0)),
            ),
            (choose("Hệ số thiết kế", "Design effect"), decimals(self.design_effect)),
        ];
        if let Some(approached) = self.approached {
            lines.insert(
                1,
                (
                    choose("Số hộ cần tiếp cận", "Units to approach"),
                    approached.to_string(),
                ),
            );
        }
        if let Some(hamlets) = self.hamlets {
            lines.push((choose("Số ấp, khu phố", "Hamlets"), hamlets.to_string()));
        }
        let mut text: Vec<String> = lines
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        if self.exceeds_population == Some(true) {
            text.push(
                choose(
                    "Nhiều hơn toàn bộ tổng thể: với tỷ lệ trả lời này không đạt được sai số mong muốn.",
                    "More than there are: this margin cannot be reached with this response rate.",
                )
                .to_owned(),
            );
        }
        text.join("\n")
    }
}
