//! `khaosat export`.

mod document;
mod estimates;
mod paradata;
mod pieces;
mod responses;

use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::{Failure, round};
use crate::app::App;
use crate::attachments;
use crate::config::{Config, MessageLanguage};
use crate::store::{DataFolder, Store};

/// Write estimates or answers as open, machine-readable files.
///
/// Estimates: figures that the publication rules withhold are left empty, with the rule named. Responses: without names,
/// addresses and other identifying answers, under pseudonyms that differ from export to export. Simulated data are marked
/// in every row. Document: one response as an Automerge document (.automerge) with its whole history, which any Automerge
/// implementation opens; it names and dates everything that anybody ever wrote there, so it is identifying and must be
/// asked for as such. Attachments: the files that answers name, in a folder for each unit; identifying as well. Paradata: how
/// long each interview and each question of it took, as the phones logged it, with the same pseudonyms as responses; lines
/// of a log that cannot be right are told and left out.
#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// What to write
    #[arg(default_value = "estimates")]
    what: Exported,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to write [default: csv for estimates, jsonl for responses]
    #[arg(long, value_name = "FORMAT")]
    format: Option<ExportFormat>,
    /// Responses with the units' codes and identifying answers, or a document: personal data, to be kept as such
    #[arg(long)]
    with_identifying: bool,
    /// The surveyed unit whose document to write
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// The response whose document to write, in place of round and unit
    #[arg(long, value_name = "UUID", conflicts_with_all = ["unit", "round"])]
    response: Option<Uuid>,
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Exported {
    /// Every estimate of every unit
    Estimates,
    /// Every response with its answers, roster and open conflicts
    Responses,
    /// One response as an Automerge document with its history
    Document,
    /// The pictures, recordings and other files of all responses, into the folder that --output names
    Attachments,
    /// How long each interview and each of its questions took, where the form asks phones to log it (row audit)
    Paradata,
}

/// How to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// A table with a header row
    Csv,
    /// One JSON object a line
    Jsonl,
}

pub(super) async fn run(arguments: ExportArguments, config: &Config) -> Result<(), Failure> {
    if arguments.what == Exported::Document {
        return write_document(&arguments, config).await;
    }
    if arguments.what == Exported::Attachments {
        return write_attachments(&arguments, config).await;
    }
    if arguments.unit.is_some() || arguments.response.is_some() {
        return Err(Failure::new(
            "--unit và --response chỉ dùng với `khaosat export document`",
            "--unit and --response belong to `khaosat export document`",
        ));
    }
    let format = match (arguments.what, arguments.format) {
        (Exported::Responses, Some(ExportFormat::Csv)) => {
            return Err(Failure::new(
                "phiếu có danh sách thành viên nên chỉ xuất được dạng jsonl",
                "responses have rosters, which one table cannot hold; use --format jsonl",
            ));
        }
        (Exported::Paradata, Some(ExportFormat::Jsonl)) => {
            return Err(Failure::new(
                "paradata chỉ xuất được dạng csv",
                "paradata are one table; use --format csv",
            ));
        }
        (Exported::Responses, _) => ExportFormat::Jsonl,
        (_, format) => format.unwrap_or(ExportFormat::Csv),
    };
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let wanted = round::pick(&store, arguments.round).await?;
    let rules = config.publication_rules();
    let app = App::load(store, rules).await?;
    app.catch_up().await?;
    let mut output = open(arguments.output.as_deref())?;
    let with_identifying = arguments.with_identifying;
    if arguments.what == Exported::Responses {
        responses::write(&app.store, &wanted, with_identifying, &mut output).await?;
    } else if arguments.what == Exported::Paradata {
        paradata::write(&app.store, &wanted, with_identifying, config.language, &mut output).await?;
    } else {
        let rounds = app.live.read().await;
        if let Some(live) = rounds.iter().find(|live| live.round.id == wanted.id) {
            estimates::write(live, &rules, format, &mut output)?;
        }
    }
    output.flush()?;
    app.store.close().await;
    Ok(())
}

/// Writes one response as a document, if the operator says that personal data are wanted.
async fn write_document(arguments: &ExportArguments, config: &Config) -> Result<(), Failure> {
    if arguments.format.is_some() {
        return Err(Failure::new(
            "tài liệu chỉ có một dạng, của chính Automerge; hãy bỏ --format",
            "a document has one format, Automerge's own; leave --format out",
        ));
    }
    if !arguments.with_identifying {
        return Err(Failure::new(
            "tài liệu chứa mọi câu trả lời cùng lịch sử, kể cả tên và địa chỉ: đó là dữ liệu cá nhân; nếu thật sự cần, hãy thêm --with-identifying",
            "a document holds every answer with its history, names and addresses among them: it is personal data; if it is meant, add --with-identifying",
        ));
    }
    if arguments.output.is_none() && std::io::stdout().is_terminal() {
        return Err(Failure::new(
            "tài liệu là dữ liệu nhị phân; hãy ghi vào tệp bằng --output FILE.automerge",
            "a document is binary; write it into a file with --output FILE.automerge",
        ));
    }
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let wanted = match (arguments.response, &arguments.unit) {
        (Some(response), _) => document::Wanted::Response(response),
        (None, Some(unit)) => document::Wanted::Unit(round::pick(&store, arguments.round).await?, unit),
        (None, None) => {
            return Err(Failure::new(
                "hãy nêu phiếu cần xuất: --unit CODE (và --round), hoặc --response UUID",
                "say which response: --unit CODE (and --round), or --response UUID",
            ));
        }
    };
    let bytes = document::read(&store, &wanted).await?;
    let mut output = open(arguments.output.as_deref())?;
    output.write_all(&bytes)?;
    output.flush()?;
    store.close().await;
    match config.language {
        MessageLanguage::Vi => eprintln!(
            "Tài liệu này chứa dữ liệu cá nhân của người được khảo sát; hãy cất giữ cẩn thận và xoá khi dùng xong."
        ),
        MessageLanguage::En => {
            eprintln!("This document holds personal data of the people surveyed; keep it safe and delete it after use.")
        }
    }
    Ok(())
}

/// Writes the files of all responses into a folder, if the operator says that personal data are wanted.
async fn write_attachments(arguments: &ExportArguments, config: &Config) -> Result<(), Failure> {
    if !arguments.with_identifying {
        return Err(Failure::new(
            "ảnh và bản ghi âm là dữ liệu cá nhân; nếu thật sự cần, hãy thêm --with-identifying",
            "pictures and recordings are personal data; if they are meant, add --with-identifying",
        ));
    }
    let Some(folder_to_write) = &arguments.output else {
        return Err(Failure::new(
            "hãy nêu thư mục cần ghi: --output THƯ_MỤC",
            "say where to: --output FOLDER",
        ));
    };
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let wanted = round::pick(&store, arguments.round).await?;
    let written = attachments::write_files(&store.readers, wanted.key, folder_to_write).await;
    store.close().await;
    let count = written.map_err(|error| Failure::new(format!("không ghi được tệp: {error}"), error.to_string()))?;
    match config.language {
        MessageLanguage::Vi => eprintln!("Đã ghi {count} tệp vào {}.", folder_to_write.display()),
        MessageLanguage::En => eprintln!("{count} files written to {}.", folder_to_write.display()),
    }
    Ok(())
}

/// Where an export goes: into a file, or to standard output.
fn open(path: Option<&Path>) -> Result<BufWriter<Box<dyn Write + Send>>, Failure> {
    let output: Box<dyn Write + Send> = match path {
        Some(path) => Box::new(std::fs::File::create(path)?),
        None => Box::new(std::io::stdout()),
    };
    Ok(BufWriter::new(output))
}
