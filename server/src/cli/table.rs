//! The table of indicators on a terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicators::decision::Decision;

use crate::config::MessageLanguage;
use crate::estimates::{IndicatorView, Overview};

/// The indicators that the survey measures, for people.
pub fn indicator_table(view: &Overview, language: MessageLanguage) -> String {
    let vietnamese = language == MessageLanguage::Vi;
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(if vietnamese {
        [
            "Mã",
            "Chỉ tiêu",
            "Ước lượng",
            "Khoảng tin cậy 95 %",
            "Mục tiêu",
            "Kết luận",
            "Khi chưa chọn câu đúng",
            "Hộ",
        ]
    } else {
        [
            "Code",
            "Indicator",
            "Estimate",
            "95 % interval",
            "Target",
            "Decision",
            "Bounds by open conflicts",
            "Households",
        ]
    });
    for indicator in view.indicators.iter().filter(|indicator| measured(indicator)) {
        table.add_row(row(indicator, vietnamese));
    }
    for column in [2, 7] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn measured(indicator: &IndicatorView) -> bool {
    indicator.estimate.is_some() || indicator.withheld.is_some()
}

fn row(indicator: &IndicatorView, vietnamese: bool) -> [String; 8] {
    let percent = |share: f64| {
        let text = format!("{:.1} %", share * 100.0);
        if vietnamese { text.replace('.', ",") } else { text }
    };
    let name = if vietnamese {
        &indicator.name.vi
    } else {
        &indicator.name.en
    };
    let target = format!(
        "{} {} %",
        if indicator.target.operator == ">=" { "≥" } else { ">" },
        indicator.target.percent
    );
    let decision = match (indicator.decision, vietnamese) {
        (Some(Decision::Met), true) => "đạt",
        (Some(Decision::Met), false) => "met",
        (Some(Decision::Missed), true) => "chưa đạt",
        (Some(Decision::Missed), false) => "not met",
        (Some(Decision::Undecided), true) => "chưa đủ căn cứ",
        (Some(Decision::Undecided), false) => "undecided",
        (None, true) => "không công bố",
        (None, false) => "withheld",
    };
    let range = |lower: f64, upper: f64| format!("{} – {}", percent(lower), percent(upper));
    let (point, interval, bounds, households) = match &indicator.estimate {
        None => ("–".to_owned(), "–".to_owned(), "–".to_owned(), String::new()),
        Some(estimate) => (
            percent(estimate.point),
            estimate
                .interval
                .as_ref()
                .map_or_else(|| "–".to_owned(), |interval| range(interval.lower, interval.upper)),
            estimate
                .bounds
                .map_or_else(|| "–".to_owned(), |bounds| range(bounds.lower, bounds.upper)),
            estimate.households.to_string(),
        ),
    };
    [
        indicator.code.clone(),
        name.clone(),
        point,
        interval,
        target,
        decision.to_owned(),
        bounds,
        households,
    ]
}
