//! Estimates as a table for people.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicators::decision::Decision;
use indicators::intervals::IntervalMethod;
use indicators::survey::{IntervalReason, Undefined};

use super::super::registry::Kind;
use super::super::report::{EstimateView, Report, WithheldView};
use super::modelled;

/// Figures in the language of the reader, and notes on what is absent.
pub(super) struct Writer {
    pub(super) vietnamese: bool,
    notes: Vec<Note>,
}

/// Why something is absent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Note {
    Undefined(Undefined),
    Withheld(WithheldView),
}

impl Note {
    fn text(&self, writer: &Writer) -> String {
        let undefined = match self {
            Self::Undefined(undefined) if writer.vietnamese => return undefined.vietnamese().to_owned(),
            Self::Undefined(undefined) => return undefined.to_string(),
            Self::Withheld(withheld) => *withheld,
        };
        match (undefined, writer.vietnamese) {
            (WithheldView::TooFewRespondents { minimum, .. }, true) => {
                format!("không công bố: có ít hơn {minimum} người trả lời")
            }
            (WithheldView::TooFewRespondents { minimum, .. }, false) => {
                format!("withheld: fewer than {minimum} respondents")
            }
            (WithheldView::TooImprecise { maximum, .. }, true) => {
                format!("không công bố: hệ số biến thiên lớn hơn {}", writer.percent(maximum))
            }
            (WithheldView::TooImprecise { maximum, .. }, false) => {
                format!(
                    "withheld: the coefficient of variation is above {}",
                    writer.percent(maximum)
                )
            }
            (WithheldView::OtherRule, true) => "không công bố theo quy tắc".to_owned(),
            (WithheldView::OtherRule, false) => "withheld by a rule".to_owned(),
        }
    }
}

impl Writer {
    pub(super) fn number(&self, text: String) -> String {
        if self.vietnamese { text.replace('.', ",") } else { text }
    }

    pub(super) fn percent(&self, share: f64) -> String {
        self.number(format!("{:.1} %", share * 100.0))
    }

    /// A figure in the unit of its kind: percent of a proportion, otherwise five digits.
    pub(super) fn figure(&self, value: f64, kind: Kind) -> String {
        if kind == Kind::Proportion {
            return self.percent(value);
        }
        let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
        let decimals = (4.0 - magnitude).clamp(0.0, 10.0) as usize;
        self.number(format!("{value:.decimals$}"))
    }

    /// A standard error, which is small beside a percentage and so has a digit more.
    pub(super) fn error(&self, error: f64, kind: Kind) -> String {
        match kind {
            Kind::Proportion => self.number(format!("{:.2} %", error * 100.0)),
            _ => self.figure(error, kind),
        }
    }

    /// A figure, or a dash with the number of the note that says why there is none.
    fn or_note(&mut self, text: Option<String>, reason: Option<Note>) -> String {
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
        let withheld = view.withheld.map(Note::Withheld);
        let note = |reason: Option<Undefined>| withheld.or(reason.map(Note::Undefined));
        let everybody = if self.vietnamese { "tất cả" } else { "all" };
        let domain = match view.domain.is_empty() {
            true => everybody.to_owned(),
            false => {
                let parts = view.domain.iter().map(|(column, value)| format!("{column} = {value}"));
                parts.collect::<Vec<_>>().join("; ")
            }
        };
        let point = estimate.point.map(|point| self.figure(point, kind));
        let standard_error = estimate.standard_error.map(|error| self.error(error, kind));
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
            self.or_note(point, note(absences.point)),
            self.or_note(standard_error, note(absences.standard_error)),
            self.or_note(interval, note(absences.interval)),
            self.method(view),
            self.or_note(effect, note(absences.design_effect)),
            estimate.degrees_of_freedom.to_string(),
            estimate.rows.to_string(),
            self.percent(view.missing.weighted_share),
            self.decision(view),
        ]
    }
}

/// The table, with notes and, where there are models, what these say below it.
pub(super) fn table(report: &Report, vietnamese: bool) -> String {
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
        text.push_str(&format!("\n[{}] {}", number + 1, note.text(&writer)));
    }
    if !report.models.is_empty() {
        text.push_str(&modelled::section(report, &writer));
    }
    text
}
