//! What models say of areas, below the table of direct estimates.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicators::small_areas::{Benchmark, Source, VarianceMethod};

use super::super::report::{EstimateView, FitView, ModelView, Report};
use super::table::Writer;

/// Columns of figures.
const FIGURES: std::ops::RangeInclusive<usize> = 2..=6;

/// A heading, a line on each model, and a table of the areas.
pub(super) fn section(report: &Report, writer: &Writer) -> String {
    let vietnamese = writer.vietnamese;
    let mut text = match vietnamese {
        true => "\n\nƯớc lượng theo mô hình Fay–Herriot: không phải số đo trực tiếp".to_owned(),
        false => "\n\nEstimates modelled by Fay & Herriot: not measured".to_owned(),
    };
    for model in &report.models {
        text.push_str(&format!("\n{}", about(model, writer)));
    }
    let views: Vec<&EstimateView> = report.estimates.iter().filter(|view| view.modelled.is_some()).collect();
    if views.is_empty() {
        return text;
    }
    let level = writer.number(format!("{} %", report.sample.confidence * 100.0));
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(if vietnamese {
        [
            "Chỉ tiêu".to_owned(),
            "Khu vực".to_owned(),
            "Trực tiếp".to_owned(),
            "Mô hình".to_owned(),
            "Căn bậc hai của sai số bình phương trung bình".to_owned(),
            format!("Khoảng {level} (chuẩn)"),
            "Tỷ trọng của ước lượng trực tiếp".to_owned(),
            "Nguồn".to_owned(),
        ]
    } else {
        [
            "Indicator".to_owned(),
            "Area".to_owned(),
            "Direct".to_owned(),
            "Modelled".to_owned(),
            "Root mean squared error".to_owned(),
            format!("{level} interval (normal)"),
            "Weight of the direct estimate".to_owned(),
            "Source".to_owned(),
        ]
    });
    for view in views {
        if let Some(row) = row(view, writer) {
            table.add_row(row);
        }
    }
    for column in FIGURES {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    text.push_str(&format!("\n{table}"));
    text
}

fn row(view: &EstimateView, writer: &Writer) -> Option<[String; 8]> {
    let modelled = view.modelled.as_ref()?;
    let figure = |value: f64| writer.figure(value, view.kind);
    let dash = || "–".to_owned();
    let source = match (modelled.source, writer.vietnamese) {
        (Source::Combined, true) => "mô hình và phỏng vấn",
        (Source::Combined, false) => "model and interviews",
        (Source::Synthetic, true) => "chỉ mô hình",
        (Source::Synthetic, false) => "model alone",
    };
    Some([
        view.code.clone(),
        view.domain.values().cloned().collect::<Vec<_>>().join("; "),
        view.estimate.point.map_or_else(dash, figure),
        figure(modelled.estimate),
        writer.error(modelled.root_mean_squared_error, view.kind),
        format!("{} – {}", figure(modelled.lower), figure(modelled.upper)),
        modelled
            .direct_weight
            .map_or_else(dash, |weight| writer.number(format!("{weight:.2}"))),
        source.to_owned(),
    ])
}

/// One line on a model, or on why there is none.
fn about(model: &ModelView, writer: &Writer) -> String {
    let (code, column) = (&model.code, &model.column);
    let what = match (&model.fit, &model.absent) {
        (Some(fit), _) => about_fit(fit, writer),
        (None, Some(reason)) if writer.vietnamese => format!("không lập được mô hình: {}", reason.vi),
        (None, Some(reason)) => format!("no model: {}", reason.en),
        (None, None) => String::new(),
    };
    format!("{code}, {column}: {what}")
}

fn about_fit(fit: &FitView, writer: &Writer) -> String {
    let vi = writer.vietnamese;
    let method = match (fit.method, vi) {
        (VarianceMethod::RestrictedMaximumLikelihood, true) => "hợp lý cực đại có hạn chế",
        (VarianceMethod::RestrictedMaximumLikelihood, false) => "restricted maximum likelihood",
        (VarianceMethod::MaximumLikelihood, true) => "hợp lý cực đại",
        (VarianceMethod::MaximumLikelihood, false) => "maximum likelihood",
        (VarianceMethod::FayHerriotMoment, true) => "phương trình mô men của Fay–Herriot",
        (VarianceMethod::FayHerriotMoment, false) => "Fay & Herriot's moment equation",
        (VarianceMethod::PrasadRaoMoment, true) => "mô men của Prasad–Rao",
        (VarianceMethod::PrasadRaoMoment, false) => "Prasad & Rao's moments",
    };
    let digits = |value: f64| writer.number(format!("{value:.3e}"));
    let variance = digits(fit.between_area_variance);
    let areas = fit.diagnostics.areas;
    let terms: Vec<&str> = fit
        .coefficients
        .iter()
        .map(|coefficient| coefficient.term.as_str())
        .collect();
    let terms = terms.join(", ");
    let mut text = match vi {
        true => {
            format!("{areas} khu vực có phỏng vấn; biến bổ trợ {terms}; phương sai giữa khu vực {variance} ({method})")
        }
        false => {
            format!("{areas} areas with interviews; covariates {terms}; variance between areas {variance} ({method})")
        }
    };
    if let Some(share) = fit.diagnostics.explained_variance {
        let share = writer.percent(share);
        text.push_str(&match vi {
            true => format!("; biến bổ trợ giải thích {share}"),
            false => format!("; covariates explain {share}"),
        });
    }
    if let Some(effect) = fit.smoothing_design_effect {
        let effect = writer.number(format!("{effect:.2}"));
        text.push_str(&match vi {
            true => format!("; phương sai chọn mẫu làm trơn bằng hệ số thiết kế {effect}"),
            false => format!("; sampling variances smoothed by a design effect of {effect}"),
        });
    }
    let benchmark = fit.benchmark.map(|benchmark| match (benchmark, vi) {
        (Benchmark::Ratio, true) => "; khớp với toàn bộ bằng một hệ số",
        (Benchmark::Ratio, false) => "; made to agree with the whole by a factor",
        (Benchmark::Difference, true) => "; khớp với toàn bộ bằng một hiệu số",
        (Benchmark::Difference, false) => "; made to agree with the whole by a difference",
        (Benchmark::ErrorWeighted, true) => "; khớp với toàn bộ theo sai số",
        (Benchmark::ErrorWeighted, false) => "; made to agree with the whole in proportion to errors",
    });
    text.push_str(benchmark.unwrap_or_default());
    text
}
