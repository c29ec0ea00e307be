//! `khaosat conflict show` and `settle`: one response's conflicts.

use clap::{ArgGroup, Args};
use survey_forms::answers::{AnswerPath, InstanceId, Value};
use uuid::Uuid;

use super::super::quarantine::plain;
use super::super::{Failure, ReportFormat, print_json, round};
use crate::config::Config;
use crate::devices::InstallationKeys;
use crate::settling::{self, Settlement, Settler, SettlingError, ShownConflict};
use crate::store::{DataFolder, Store};

/// Of which response.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArguments {
    /// The surveyed unit's code
    #[arg(value_name = "UNIT")]
    unit: String,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// What is decided.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("decision").required(true).args(["answer", "value", "clear"]))]
pub(in crate::cli) struct SettleArguments {
    /// The surveyed unit's code
    #[arg(value_name = "UNIT")]
    unit: String,
    /// The question's key, as `khaosat conflict show` prints it
    #[arg(value_name = "QUESTION")]
    question: String,
    /// The instance of the roster that the question is in
    #[arg(long, value_name = "ID")]
    instance: Option<String>,
    /// The number of the right answer among those shown
    #[arg(long, value_name = "N")]
    answer: Option<usize>,
    /// Another answer, in JSON: a text, a number, or a list of choices
    #[arg(long, value_name = "JSON")]
    value: Option<String>,
    /// None of them is right, and there is no answer
    #[arg(long)]
    clear: bool,
    /// Who decides: the name that volunteers will read
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
}

pub(super) async fn show(arguments: ShowArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let round = round::pick(&store, arguments.round).await?;
    let conflicts = settling::conflicts(&store, &round, &arguments.unit)
        .await
        .map_err(told)?;
    store.close().await;
    match arguments.format {
        ReportFormat::Json => print_json(&conflicts)?,
        ReportFormat::Text if conflicts.is_empty() => {
            println!("Không có câu trả lời nào khác nhau. (all answers agree)");
        }
        ReportFormat::Text => conflicts.iter().for_each(print),
    }
    Ok(())
}

fn print(conflict: &ShownConflict) {
    match &conflict.instance {
        Some(instance) => println!("{} --instance {}", plain(&conflict.question), plain(instance)),
        None => println!("{}", plain(&conflict.question)),
    }
    for (place, answer) in conflict.answers.iter().enumerate() {
        let value = answer
            .value
            .as_ref()
            .map_or_else(|| "(bỏ trống, no answer)".to_owned(), |value| plain(&value.to_string()));
        let authors: Vec<String> = answer.authors.iter().map(|author| plain(author)).collect();
        println!("  {}. {value}: {}", place + 1, authors.join(", "));
    }
}

pub(super) async fn settle(arguments: SettleArguments, config: &Config) -> Result<(), Failure> {
    let settlement = match (&arguments.value, arguments.answer) {
        (Some(json), _) => Settlement::Answer(serde_json::from_str::<Value>(json).map_err(|error| {
            Failure::new(
                format!("--value phải là JSON, ví dụ \"co\", 3 hoặc [\"a\",\"b\"]: {error}"),
                format!("--value must be JSON, such as \"yes\", 3 or [\"a\",\"b\"]: {error}"),
            )
        })?),
        (None, Some(number)) => Settlement::Claim(number),
        (None, None) => Settlement::Clear,
    };
    let name = arguments.by.trim();
    if name.is_empty() {
        return Err(Failure::new(
            "--by phải là tên người quyết định",
            "--by must be the name of who decides",
        ));
    }
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let round = round::pick(&store, arguments.round).await?;
    let key = InstallationKeys::of(&folder)?.official(name);
    let path = AnswerPath {
        instance: arguments.instance.map(InstanceId::new),
        question: arguments.question,
    };
    let settler = Settler { key: &key, name };
    let value = settling::settle(&store, &round, &arguments.unit, &path, &settlement, settler).await;
    store.close().await;
    let value = value.map_err(told)?;
    let unit = plain(&arguments.unit);
    match value {
        Some(value) => println!("{unit}: {path} = {}", plain(&value.to_string())),
        None => println!("{unit}: {path}: bỏ trống (no answer)"),
    }
    Ok(())
}

fn told(error: SettlingError) -> Failure {
    Failure::new(error.vietnamese(), error.to_string())
}
