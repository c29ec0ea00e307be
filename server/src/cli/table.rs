//! The table of indicators on a terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicators::decision::{Decision, MoreInterviews};

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

/// The official figures of the unit, a line each.
pub(super) fn official_lines(view: &Overview, language: MessageLanguage) -> Vec<String> {
    let vietnamese = language == MessageLanguage::Vi;
    let number = |value: f64| {
        let text = value.to_string();
        if vietnamese { text.replace('.', ",") } else { text }
    };
    let all = view
        .indicators
        .iter()
        .flat_map(|indicator| indicator.official.iter().map(move |figure| (indicator, figure)));
    all.map(|(indicator, figure)| {
        let (kind, decision) = match (vietnamese, figure.decision) {
            (true, Decision::Met) => ("số liệu chính thức", "đạt"),
            (true, _) => ("số liệu chính thức", "chưa đạt"),
            (false, Decision::Met) => ("official figure", "met"),
            (false, _) => ("official figure", "not met"),
        };
        let part = match figure.part.as_str() {
            "" => String::new(),
            part => format!(", {part}"),
        };
        let difference = figure.difference.map_or_else(String::new, |difference| {
            let difference = format!("{difference:+.1}");
            match vietnamese {
                true => format!("; khảo sát chênh {} điểm phần trăm", difference.replace('.', ",")),
                false => format!("; the survey differs by {difference} percentage points"),
            }
        });
        format!(
            "{}, {kind} {}{part}: {} % ({}): {decision}{difference}",
            indicator.code,
            figure.year,
            number(figure.percent),
            figure.source
        )
    })
    .collect()
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
    let decision = match (indicator.more_interviews, vietnamese) {
        (Some(MoreInterviews::Some { households }), true) => format!("{decision}; cần thêm khoảng {households} hộ"),
        (Some(MoreInterviews::Some { households }), false) => {
            format!("{decision}; about {households} more households needed")
        }
        _ => decision.to_owned(),
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
        decision,
        bounds,
        households,
    ]
}
