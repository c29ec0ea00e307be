//! `khaosat conflict list`: what is open about an estimate, by what to settle first.

use std::collections::BTreeMap;

use clap::Args;
use indicators::decision::Decision;
use serde::Serialize;
use uuid::Uuid;

use super::super::quarantine::plain;
use super::super::{Failure, ReportFormat, print_json, round};
use crate::app::App;
use crate::config::{Config, MessageLanguage};
use crate::estimates::{LiveImportance, OpenMatter};
use crate::store::{DataFolder, Store, StoreError};

/// Of what.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListArguments {
    /// The indicator's code
    #[arg(long, value_name = "CODE")]
    indicator: String,
    /// The code of the administrative unit or hamlet [default: the round's whole territory]
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// How many to print at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// The whole list. Shares are from 0 to 1.
#[derive(Debug, Serialize)]
struct Listed {
    indicator: String,
    unit: String,
    /// None where there is no estimate, or publication rules withhold it.
    point: Option<f64>,
    bounds: Option<(f64, f64)>,
    bounds_exact: bool,
    is_withheld: bool,
    decision: Option<Decision>,
    decision_as_counted: Option<Decision>,
    is_in_doubt: bool,
    sufficient: Option<usize>,
    /// How many matters are open, those beyond the limit included.
    open: usize,
    matters: Vec<ListedMatter>,
}

#[derive(Debug, Serialize)]
struct ListedMatter {
    is_suspected_duplicate: bool,
    responses: Vec<ListedResponse>,
    /// How far settling it can lower the estimate, in percentage points.
    points_down: Option<f64>,
    /// How far settling it can raise the estimate, in percentage points.
    points_up: Option<f64>,
    denominator_may_vanish: bool,
}

#[derive(Debug, Serialize)]
struct ListedResponse {
    response: Uuid,
    unit: String,
    hamlet: String,
    /// Every numerator and denominator that settling its conflicts can lead to.
    possible: Vec<(f64, f64)>,
}

pub(super) async fn run(arguments: ListArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let wanted = round::pick(&store, arguments.round).await?;
    let rules = config.publication_rules();
    let app = App::load(store, rules).await?;
    app.catch_up().await?;
    let unit = arguments.unit.as_deref().unwrap_or(&wanted.root_code).to_owned();
    let importance = {
        let rounds = app.live.read().await;
        let live = rounds.iter().find(|live| live.round.id == wanted.id);
        let live = live.ok_or_else(|| Failure::new("không có đợt khảo sát này", "there is no such round"))?;
        let node = live.tree.find(&unit).ok_or_else(|| {
            Failure::new(
                format!("đợt khảo sát không có đơn vị mã {unit}"),
                format!("the round has no unit with the code {unit}"),
            )
        })?;
        let of_registry = |position: &usize| live.registry.get(*position).map(|indicator| indicator.code.as_str());
        let measured = live.measures.registry_positions.iter().map(of_registry);
        let codes: Vec<&str> = measured.flatten().collect();
        let place = codes
            .iter()
            .position(|code| *code == arguments.indicator)
            .ok_or_else(|| {
                let (wanted, codes) = (&arguments.indicator, codes.join(", "));
                Failure::new(
                    format!("đợt khảo sát không đo chỉ tiêu {wanted}; các chỉ tiêu được đo: {codes}"),
                    format!("the round does not measure indicator {wanted}; it measures {codes}"),
                )
            })?;
        live.importance(node, place)
    };
    let importance = importance.ok_or_else(|| {
        Failure::new(
            format!("không tính được chỉ tiêu {} cho đơn vị {unit}", arguments.indicator),
            format!("indicator {} cannot be computed for unit {unit}", arguments.indicator),
        )
    })?;
    let is_withheld = rules.withheld(&importance.estimate).is_some();
    let listed = listed(&app.store, importance, is_withheld, unit, &arguments).await?;
    app.store.close().await;
    match arguments.format {
        ReportFormat::Json => print_json(&listed)?,
        ReportFormat::Text => print(&listed, config.language),
    }
    Ok(())
}

async fn listed(
    store: &Store,
    mut importance: LiveImportance,
    is_withheld: bool,
    unit: String,
    arguments: &ListArguments,
) -> Result<Listed, StoreError> {
    let open = importance.matters.len();
    importance.matters.truncate(arguments.limit.unwrap_or(open));
    let names = names(store, &importance.matters).await?;
    let point = importance.point;
    let matters = importance.matters.into_iter().map(|matter| {
        let named = matter.responses.into_iter().filter_map(|response| {
            let (id, unit) = names.get(&response.key)?.clone();
            Some(ListedResponse {
                response: id,
                unit,
                hamlet: response.hamlet,
                possible: response.possible,
            })
        });
        let mut responses: Vec<ListedResponse> = named.collect();
        responses.sort_by(|one, other| one.unit.cmp(&other.unit));
        let distance = |end: Option<f64>| Some((end? - point?).abs() * 100.0);
        ListedMatter {
            is_suspected_duplicate: matter.is_suspected_duplicate,
            points_down: distance(matter.lower),
            points_up: distance(matter.upper),
            denominator_may_vanish: matter.denominator_may_vanish,
            responses,
        }
    });
    let shown = |decision| (!is_withheld && point.is_some()).then_some(decision);
    Ok(Listed {
        indicator: arguments.indicator.clone(),
        unit,
        point: point.filter(|_| !is_withheld),
        bounds: importance
            .bounds
            .filter(|_| !is_withheld)
            .map(|bounds| (bounds.lower, bounds.upper)),
        bounds_exact: importance.bounds_exact,
        is_withheld,
        decision: shown(importance.decision),
        decision_as_counted: shown(importance.decision_as_counted),
        is_in_doubt: importance.is_in_doubt && !is_withheld,
        sufficient: importance.sufficient.filter(|_| !is_withheld),
        open,
        matters: matters.collect(),
    })
}

/// The identity and the unit of each response.
async fn names(store: &Store, matters: &[OpenMatter]) -> Result<BTreeMap<i64, (Uuid, String)>, StoreError> {
    let responses = matters.iter().flat_map(|matter| &matter.responses);
    let keys: Vec<i64> = responses.map(|response| response.key).collect();
    let keys =
        serde_json::to_string(&keys).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))?;
    let rows: Vec<(i64, Uuid, String)> = sqlx::query_as(
        "SELECT response_key, response.id, unit FROM json_each($1) AS wanted JOIN response ON response_key = wanted.value",
    )
    .bind(keys)
    .fetch_all(&store.readers)
    .await?;
    Ok(rows.into_iter().map(|(key, id, unit)| (key, (id, unit))).collect())
}

fn print(listed: &Listed, language: MessageLanguage) {
    let vietnamese = language == MessageLanguage::Vi;
    let number = |value: f64, suffix: &str| {
        let text = format!("{value:.1}");
        let text = if vietnamese { text.replace('.', ",") } else { text };
        format!("{text}{suffix}")
    };
    println!("{}", head(listed, vietnamese, |share| number(share * 100.0, " %")));
    for (place, matter) in listed.matters.iter().enumerate() {
        let points = |distance: Option<f64>| distance.map_or_else(|| "–".to_owned(), |distance| number(distance, ""));
        let (down, up) = (points(matter.points_down), points(matter.points_up));
        let kind = match (matter.is_suspected_duplicate, vietnamese) {
            (true, true) => "nghi trùng",
            (true, false) => "suspected duplicates",
            (false, true) => "câu trả lời khác nhau",
            (false, false) => "conflict",
        };
        let unit = if vietnamese {
            "điểm phần trăm"
        } else {
            "percentage points"
        };
        println!("{}. −{down} … +{up} {unit}, {kind}", place + 1);
        for response in &matter.responses {
            let pair = |(numerator, denominator): &(f64, f64)| format!("{numerator}/{denominator}");
            let possible: Vec<String> = response.possible.iter().map(pair).collect();
            println!(
                "   {}  {}  {}  {}",
                response.response,
                response.hamlet,
                plain(&response.unit),
                possible.join(" | ")
            );
        }
    }
}

/// The line above the list.
fn head(listed: &Listed, vietnamese: bool, percent: impl Fn(f64) -> String) -> String {
    let decision = |decision: Option<Decision>| match (decision, vietnamese) {
        (Some(Decision::Met), true) => "đạt",
        (Some(Decision::Met), false) => "met",
        (Some(Decision::Missed), true) => "chưa đạt",
        (Some(Decision::Missed), false) => "not met",
        (Some(Decision::Undecided), true) => "chưa đủ căn cứ",
        (Some(Decision::Undecided), false) => "undecided",
        (None, true) => "không có",
        (None, false) => "none",
    };
    let point = match listed.point {
        Some(point) => percent(point),
        None if listed.is_withheld && vietnamese => "không công bố".to_owned(),
        None if listed.is_withheld => "withheld".to_owned(),
        None => "–".to_owned(),
    };
    let around = match listed.bounds_exact {
        true => "",
        false => "≈ ",
    };
    let bounds = listed.bounds.map_or_else(
        || "–".to_owned(),
        |(lower, upper)| format!("{around}{} – {}", percent(lower), percent(upper)),
    );
    let (indicator, unit, open) = (&listed.indicator, &listed.unit, listed.open);
    let (over_bounds, as_counted) = (decision(listed.decision), decision(listed.decision_as_counted));
    let sufficient = match (listed.sufficient, vietnamese) {
        (Some(sufficient), true) => format!("kết luận chắc chắn nếu {sufficient} mục đầu đúng như đang tính"),
        (Some(sufficient), false) => format!("sure if the first {sufficient} are as counted now"),
        _ if listed.is_withheld => "–".to_owned(),
        (None, true) => "riêng việc này không đủ để kết luận".to_owned(),
        (None, false) => "settling alone does not decide".to_owned(),
    };
    if vietnamese {
        format!(
            "{indicator}, {unit}: ước lượng {point}; khi chưa chọn câu đúng {bounds}; kết luận: {over_bounds} \
             (theo số đang tính: {as_counted}); {open} mục chưa rõ; {sufficient}"
        )
    } else {
        format!(
            "{indicator}, {unit}: estimate {point}; bounds {bounds}; decision: {over_bounds} (as counted: {as_counted}); \
             {open} open; {sufficient}"
        )
    }
}
