//! The commands of `khaosat`.

mod authority;
mod bundle;
mod conflict;
mod duplicate;
mod estimate;
mod export;
mod form;
mod import;
mod indicator;
mod init;
mod invite;
mod microdata;
mod qr;
mod quarantine;
mod response;
mod roster;
mod round;
mod sample;
mod serve;
mod table;
mod tabulate;
mod unit;
mod upstream;

use std::fmt;
use std::io::Read as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, ConfigError, Flags, LogFormat, MessageLanguage};
use crate::demo;
use crate::http::Text;

pub use estimate::EstimateFormat;
pub(crate) use init::initialise;
pub use table::indicator_table;

/// Khảo Sát: khảo sát hộ gia đình ngoại tuyến cho Tổ công nghệ số cộng đồng.
///
/// Offline-first household surveys for community digital technology teams: phones collect answers without signal, this
/// server merges them without loss, and every indicator of the plan is estimated live with its uncertainty.
///
/// A first survey:
///   khaosat init                              make an installation
///   khaosat round create --form … --hamlets … --households …
///   khaosat serve                             run the server
///   khaosat device invite --hamlet CODE       a code for a volunteer's phone
#[derive(Debug, Parser)]
#[command(name = "khaosat", version, verbatim_doc_comment, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tạo dữ liệu mới: make a new installation with the plan's indicators and the administrative units
    Init,
    /// Nhập danh mục từ CSV: replace reference data by your own CSV file
    #[command(subcommand)]
    Import(import::Import),
    /// Chỉ tiêu: what belongs to single indicators, such as official figures
    #[command(subcommand)]
    Indicator(indicator::IndicatorCommand),
    /// Đợt khảo sát: make a survey round from a form, a frame and a sample
    #[command(subcommand)]
    Round(round::RoundCommand),
    /// Chọn mẫu: draw probability samples and plan how large they have to be
    #[command(subcommand)]
    Sample(sample::SampleCommand),
    /// Chạy máy chủ: serve phones and the console until stopped
    Serve(serve::ServeArguments),
    /// Chạy thử: a whole survey with simulated volunteers, from an empty folder to live estimates
    Demo(demo::DemoArguments),
    /// In bảng ước lượng: print every indicator's estimate for a unit
    Estimate(estimate::EstimateArguments),
    /// Bảng số đếm: print a two-way table of counts that may be published
    Tabulate(tabulate::TabulateArguments),
    /// Thiết bị: phones and laptops that take part
    #[command(subcommand)]
    Device(invite::DeviceCommand),
    /// Máy chủ cấp trên: the server that this one forwards to, where it is a hub
    #[command(subcommand)]
    Upstream(upstream::UpstreamCommand),
    /// Hộ: who is to do which surveyed unit, and what was found of its interview
    #[command(subcommand)]
    Unit(unit::UnitCommand),
    /// Phiếu: single responses
    #[command(subcommand)]
    Response(response::ResponseCommand),
    /// Thay đổi chờ xét: changes that were refused and wait for an official to decide
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
    /// Câu trả lời khác nhau: open conflicts, by what to settle first
    #[command(subcommand)]
    Conflict(conflict::ConflictCommand),
    /// Phiếu nghi trùng: pairs of responses that may be about one household
    #[command(subcommand)]
    Duplicate(duplicate::DuplicateCommand),
    /// Gói thay đổi: carry changes by hand, as signed files or QR frames
    #[command(subcommand)]
    Bundle(bundle::BundleCommand),
    /// Xuất dữ liệu: write estimates or answers as open, machine-readable files
    Export(export::ExportArguments),
    /// Biểu mẫu: check, convert, try out and compare questionnaires
    #[command(subcommand)]
    Form(form::FormCommand),
}

/// A command's failure: what the person at the terminal reads.
#[derive(Debug)]
pub struct Failure {
    text: Text,
    /// Whoever read the output has closed it, as `head` does: there is nobody to tell.
    unread: bool,
    /// What the process ends with.
    exit_code: u8,
}

impl Failure {
    /// A failure told in both languages.
    pub fn new(vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            text: Text::new(vi, en),
            unread: false,
            exit_code: 1,
        }
    }

    /// The failure with another exit code than 1.
    fn with_exit_code(self, exit_code: u8) -> Self {
        Self { exit_code, ..self }
    }

    /// The failure with words before it.
    fn prefixed(self, vi: &str, en: &str) -> Self {
        Self::new(format!("{vi}{}", self.text.vi), format!("{en}{}", self.text.en))
    }

    /// The failure with the name of the file whose fault it is.
    fn of_file(self, file: &std::path::Path) -> Self {
        Self::new(
            format!("{}:\n{}", file.display(), self.text.vi),
            format!("{}:\n{}", file.display(), self.text.en),
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text.vi, self.text.en)
    }
}

/// Makes failures of errors that speak both languages.
macro_rules! failures {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.vietnamese(), error.to_string())
            }
        })+
    };
}

failures!(
    crate::app::ServeError,
    crate::devices::AuthorityError,
    crate::devices::InstallationKeyError,
    crate::devices::InvitationError,
    crate::devices::RosterError,
    crate::duplicates::DuplicateError,
    crate::estimates::EstimatesError,
    crate::hubs::HubError,
    crate::official::OfficialFigureError,
    crate::rounds::RoundError,
    crate::store::FolderError,
    crate::store::StoreError,
    crate::sync::ErasureError,
    crate::sync::QuarantineError,
    sync_core::bundle::BundleError,
    sync_core::response::ResponseError,
);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        crate::store::StoreError::from(error).into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let unread = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            unread,
            ..Self::new(error.to_string(), error.to_string())
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(format!("tệp cấu hình: {error}"), error.to_string())
    }
}

/// A table's failure names the file.
fn table_failure(file: &std::path::Path, error: &crate::table::TableError) -> Failure {
    Failure::new(
        format!("{}:\n{}", file.display(), error.vietnamese()),
        format!("{}:\n{error}", file.display()),
    )
}

/// A file that a command reads whole, which may have so many bytes.
fn read_within(file: &std::path::Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(file).and_then(|open| open.take(limit as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(file, &error))?;
    if bytes.len() > limit {
        return Err(Failure::new(
            format!("{} lớn hơn {limit} byte", file.display()),
            format!("{} has more than {limit} bytes", file.display()),
        ));
    }
    Ok(bytes)
}

/// A file that a command reads whole.
fn read_file(file: &std::path::Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("không đọc được {}: {error}", file.display()),
        format!("cannot read {}: {error}", file.display()),
    )
}

/// How to print a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// A key or hash that an argument names.
fn digits<const N: usize>(argument: &str, text: &str) -> Result<[u8; N], Failure> {
    let count = N * 2;
    crate::hex::decode(text).ok_or_else(|| {
        Failure::new(
            format!("{argument}: cần {count} chữ số thập lục phân"),
            format!("{argument}: {count} hexadecimal digits are needed"),
        )
    })
}

/// Prints a value as one JSON document.
fn print_json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    let json = serde_json::to_string(value).map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    println!("{json}");
    Ok(())
}

/// Runs the program with the process's own arguments.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::resolve(&arguments.flags) {
        Ok(config) => config,
        Err(error) => return fail(&error.into(), MessageLanguage::Vi),
    };
    let language = config.language;
    if let Err(failure) = start_log(&config) {
        return fail(&failure, language);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into(), language),
    };
    match runtime.block_on(execute(arguments.command, config)) {
        Ok(exit_code) => exit_code,
        Err(failure) => fail(&failure, language),
    }
}

async fn execute(command: Command, config: Config) -> Result<ExitCode, Failure> {
    match command {
        Command::Form(command) => return form::run(command, &config),
        Command::Init => init::run(&config).await,
        Command::Import(import) => import::run(import, &config).await,
        Command::Indicator(command) => indicator::run(command, &config).await,
        Command::Round(round) => round::run(round, &config).await,
        Command::Sample(command) => sample::run(command, &config),
        Command::Serve(arguments) => serve::run(&arguments, &config).await,
        Command::Demo(arguments) => demo::run(arguments, &config).await,
        Command::Estimate(arguments) => estimate::run(arguments, &config).await,
        Command::Tabulate(arguments) => tabulate::run(&arguments, &config),
        Command::Device(command) => invite::run(command, &config).await,
        Command::Upstream(command) => upstream::run(command, &config).await,
        Command::Unit(command) => unit::run(command, &config).await,
        Command::Response(command) => response::run(command, &config).await,
        Command::Quarantine(command) => quarantine::run(command, &config).await,
        Command::Conflict(command) => conflict::run(command, &config).await,
        Command::Duplicate(command) => duplicate::run(command, &config).await,
        Command::Bundle(command) => bundle::run(command, &config).await,
        Command::Export(arguments) => export::run(arguments, &config).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| {
        Failure::new(
            format!("--log {:?} không hợp lệ: {error}", config.log),
            format!("--log {:?} is not valid: {error}", config.log),
        )
    })?;
    // Standard output belongs to what a command answers.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    match config.log_format {
        LogFormat::Text => log.compact().init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

fn fail(failure: &Failure, language: MessageLanguage) -> ExitCode {
    match language {
        _ if failure.unread => return ExitCode::SUCCESS,
        MessageLanguage::Vi => eprintln!("Lỗi: {}", failure.text.vi),
        MessageLanguage::En => eprintln!("Error: {}", failure.text.en),
    }
    ExitCode::from(failure.exit_code)
}
