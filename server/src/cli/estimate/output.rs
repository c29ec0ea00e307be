//! Estimates as a table for people, JSON or CSV.

use std::collections::BTreeSet;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicators::decision::Decision;
use indicators::intervals::IntervalMethod;
use indicators::survey::{IntervalReason, Undefined};
use serde::Serialize;

use super::OutputFormat;
use super::registry::Kind;
use super::report::{EstimateView, Report};
use crate::cli::{Failure, print_json};
use crate::config::MessageLanguage;

/// Prints a report on standard output.
///
/// # Errors
/// A [`Failure`] if it cannot be written.
pub(super) fn print(report: &Report, format: OutputFormat, language: MessageLanguage) -> Result<(), Failure> {
    match format {
        OutputFormat::Json => print_json(report),
        OutputFormat::Csv => csv(report),
        OutputFormat::Table => {
            println!("{}", table(report, language == MessageLanguage::Vi));
            Ok(())
        }
    }
}

/// The word that JSON has for a value: the name of a variant.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(object)) => object.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn csv(report: &Report) -> Result<(), Failure> {
    let domains: BTreeSet<&String> = report.estimates.iter().flat_map(|view| view.domain.keys()).collect();
    let mut writer = csv::Writer::from_writer(std::io::stdout().lock());
    let mut header = vec!["code".to_owned(), "name".to_owned(), "kind".to_owned()];
    header.extend(domains.iter().map(|column| format!("by_{column}")));
    let figures = [
        "point",
        "standard_error",
        "lower",
        "upper",
        "confidence",
        "interval_method",
        "interval_reason",
        "design_effect",
        "design_effect_with_replacement",
        "degrees_of_freedom",
        "rows",
        "population",
        "missing_rows",
        "missing_share",
        "missing_weighted_share",
        "operator",
        "target_percent",
        "decision",
        "point_absent",
        "standard_error_absent",
        "interval_absent",
        "design_effect_absent",
    ];
    header.extend(figures.map(str::to_owned));
    let written = |error: csv::Error| Failure::from(std::io::Error::from(error));
    writer.write_record(&header).map_err(written)?;
    for view in &report.estimates {
        writer.write_record(csv_row(view, &domains)).map_err(written)?;
    }
    Ok(writer.flush()?)
}

fn csv_row(view: &EstimateView, domains: &BTreeSet<&String>) -> Vec<String> {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let absent = |reason: Option<Undefined>| reason.as_ref().map(word).unwrap_or_default();
    let estimate = &view.estimate;
    let interval = estimate.interval;
    let mut row = vec![view.code.clone(), view.name.clone(), word(&view.kind)];
    row.extend(
        domains
            .iter()
            .map(|column| view.domain.get(*column).cloned().unwrap_or_default()),
    );
    row.extend([
        number(estimate.point),
        number(estimate.standard_error),
        number(interval.map(|interval| interval.lower)),
        number(interval.map(|interval| interval.upper)),
        number(interval.map(|interval| interval.level.fraction())),
        interval.map(|interval| word(&interval.method)).unwrap_or_default(),
        estimate.choice.map(|choice| word(&choice.reason)).unwrap_or_default(),
        number(estimate.design_effect),
        number(estimate.design_effect_with_replacement),
        estimate.degrees_of_freedom.to_string(),
        estimate.rows.to_string(),
        number(Some(estimate.population)),
        view.missing.rows.to_string(),
        number(Some(view.missing.share)),
        number(Some(view.missing.weighted_share)),
        view.target.map(|target| target.operator.to_owned()).unwrap_or_default(),
        number(view.target.map(|target| target.percent)),
        view.target.map(|target| word(&target.decision)).unwrap_or_default(),
        absent(estimate.absences.point),
        absent(estimate.absences.standard_error),
        absent(estimate.absences.interval),
        absent(estimate.absences.design_effect),
    ]);
    row
}

/// Figures in the language of the reader, and notes on what is absent.
struct Writer {
    vietnamese: bool,
    notes: Vec<Undefined>,
}

impl Writer {
    fn number(&self, text: String) -> String {
        if self.vietnamese { text.replace('.', ",") } else { text }
    }

    fn percent(&self, share: f64) -> String {
        self.number(format!("{:.1} %", share * 100.0))
    }

    /// A figure in the unit of its kind: percent of a proportion, otherwise five digits.
    fn figure(&self, value: f64, kind: Kind) -> String {
        if kind == Kind::Proportion {
            return self.percent(value);
        }
        let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
        let decimals = (4.0 - magnitude).clamp(0.0, 10.0) as usize;
        self.number(format!("{value:.decimals$}"))
    }

    /// A figure, or a dash with the number of the note that says why there is none.
    fn or_note(&mut self, text: Option<String>, reason: Option<Undefined>) -> String {
        match (text, reason) {
            (Some(text), _) => text,
            (None, None) => "–".to_owned(),
            (None, Some(reason)) => {
                let place = self.notes.iter().position(|note| *note == reason).unwrap_or_else(|| {
                    self.notes.push(reason);
                    self.notes.len() - 1
                });
                format!("– [{}]", place + 1)
            }
        }
    }

    fn method(&self, view: &EstimateView) -> String {
        let Some(interval) = view.estimate.interval else {
            return String::new();
        };
        let method = match (interval.method, self.vietnamese) {
            (IntervalMethod::Census, true) => "toàn bộ",
            (IntervalMethod::Census, false) => "census",
            (IntervalMethod::Logit, _) => "logit",
            (IntervalMethod::ClopperPearson, _) => "Korn–Graubard",
            (IntervalMethod::StudentT, _) => "Student t",
            (IntervalMethod::Wilson, _) => "Wilson",
        };
        let reason = view
            .estimate
            .choice
            .map(|choice| match (choice.reason, self.vietnamese) {
                (IntervalReason::Requested, true) => "theo yêu cầu".to_owned(),
                (IntervalReason::Requested, false) => "as requested".to_owned(),
                (IntervalReason::Enumerated, true) => "điều tra toàn bộ".to_owned(),
                (IntervalReason::Enumerated, false) => "all observed".to_owned(),
                (IntervalReason::NothingVaries, true) => "mọi giá trị như nhau".to_owned(),
                (IntervalReason::NothingVaries, false) => "all alike".to_owned(),
                (IntervalReason::FewCases { expected }, true) => self.number(format!("chỉ {expected:.1} ca hiệu dụng")),
                (IntervalReason::FewCases { expected }, false) => format!("only {expected:.1} effective cases"),
                (IntervalReason::Ordinary, true) => "đủ ca".to_owned(),
                (IntervalReason::Ordinary, false) => "enough cases".to_owned(),
                (IntervalReason::NotAProportion, true) => "không phải tỷ lệ".to_owned(),
                (IntervalReason::NotAProportion, false) => "not a proportion".to_owned(),
            });
        match reason {
            Some(reason) => format!("{method}: {reason}"),
            None => method.to_owned(),
        }
    }

    fn decision(&self, view: &EstimateView) -> String {
        let Some(target) = view.target else {
            return String::new();
        };
        let word = match (target.decision, self.vietnamese) {
            (Decision::Met, true) => "đạt",
            (Decision::Met, false) => "met",
            (Decision::Missed, true) => "chưa đạt",
            (Decision::Missed, false) => "not met",
            (Decision::Undecided, true) => "chưa đủ căn cứ",
            (Decision::Undecided, false) => "undecided",
        };
        let sign = if target.operator == ">=" { "≥" } else { ">" };
        format!("{sign} {} %: {word}", target.percent)
    }

    fn row(&mut self, view: &EstimateView) -> Vec<String> {
        let (estimate, kind) = (&view.estimate, view.kind);
        let absences = estimate.absences;
        let everybody = if self.vietnamese { "tất cả" } else { "all" };
        let domain = match view.domain.is_empty() {
            true => everybody.to_owned(),
            false => {
                let parts = view.domain.iter().map(|(column, value)| format!("{column} = {value}"));
                parts.collect::<Vec<_>>().join("; ")
            }
        };
        let point = estimate.point.map(|point| self.figure(point, kind));
        // A standard error is small beside a percentage, so it has a digit more.
        let standard_error = estimate.standard_error.map(|error| match kind {
            Kind::Proportion => self.number(format!("{:.2} %", error * 100.0)),
            _ => self.figure(error, kind),
        });
        let interval = estimate.interval.map(|interval| {
            format!(
                "{} – {}",
                self.figure(interval.lower, kind),
                self.figure(interval.upper, kind)
            )
        });
        let effect = estimate.design_effect.or(estimate.design_effect_with_replacement);
        let effect = effect.map(|effect| self.number(format!("{effect:.2}")));
        let title = match view.name.is_empty() {
            true => view.code.clone(),
            false => format!("{} {}", view.code, view.name),
        };
        vec![
            title,
            domain,
            self.or_note(point, absences.point),
            self.or_note(standard_error, absences.standard_error),
            self.or_note(interval, absences.interval),
            self.method(view),
            self.or_note(effect, absences.design_effect),
            estimate.degrees_of_freedom.to_string(),
            estimate.rows.to_string(),
            self.percent(view.missing.weighted_share),
            self.decision(view),
        ]
    }
}

fn table(report: &Report, vietnamese: bool) -> String {
    let mut writer = Writer {
        vietnamese,
        notes: Vec::new(),
    };
    let level = writer.number(format!("{} %", report.sample.confidence * 100.0));
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(if vietnamese {
        [
            "Chỉ tiêu".to_owned(),
            "Miền".to_owned(),
            "Ước lượng".to_owned(),
            "Sai số chuẩn".to_owned(),
            format!("Khoảng tin cậy {level}"),
            "Cách tính khoảng".to_owned(),
            "Hệ số thiết kế".to_owned(),
            "Bậc tự do".to_owned(),
            "n".to_owned(),
            "Thiếu".to_owned(),
            "Mục tiêu".to_owned(),
        ]
    } else {
        [
            "Indicator".to_owned(),
            "Domain".to_owned(),
            "Estimate".to_owned(),
            "Standard error".to_owned(),
            format!("{level} interval"),
            "Interval by".to_owned(),
            "Design effect".to_owned(),
            "df".to_owned(),
            "n".to_owned(),
            "Missing".to_owned(),
            "Target".to_owned(),
        ]
    });
    for view in &report.estimates {
        let row = writer.row(view);
        table.add_row(row);
    }
    for column in [2, 3, 6, 7, 8, 9] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = table.to_string();
    for (number, note) in writer.notes.iter().enumerate() {
        let note = if vietnamese {
            note.vietnamese().to_owned()
        } else {
            note.to_string()
        };
        text.push_str(&format!("\n[{}] {note}", number + 1));
    }
    text
}
