//! Settings: flags before environment variables before the TOML file before defaults.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicators::publication::PublicationRules;
use serde::Deserialize;

/// Where the installation is kept when nothing is said.
const DATA: &str = "khaosat-data";
/// The port that the server listens on when nothing is said.
const PORT: u16 = 8394;

/// Settings that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// Folder that holds the installation's data [default: khaosat-data]
    #[arg(long, global = true, env = "KHAOSAT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Address to serve on; keep it on this machine unless a proxy adds TLS [default: 127.0.0.1:8394]
    #[arg(long, global = true, env = "KHAOSAT_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,

    /// TOML file with the same settings under the same names
    #[arg(long, global = true, env = "KHAOSAT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to log: a level, or levels by module such as «info,khaosat::sync=debug» [default: info]
    #[arg(long, global = true, env = "KHAOSAT_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// How to log: text for people, json for machines [default: text]
    #[arg(long, global = true, env = "KHAOSAT_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Language of messages on this terminal [default: vi]
    #[arg(long, global = true, env = "KHAOSAT_LANGUAGE", value_name = "LANGUAGE")]
    pub language: Option<MessageLanguage>,

    /// Withhold estimates that rest on fewer responding households [default: 5]
    #[arg(long, global = true, env = "KHAOSAT_MINIMUM_HOUSEHOLDS", value_name = "N")]
    pub minimum_households: Option<u64>,

    /// Withhold estimates whose standard error is a larger percentage of them, such as 33.3 [default: none]
    #[arg(long, global = true, env = "KHAOSAT_MAXIMUM_VARIATION", value_name = "PERCENT")]
    pub maximum_variation: Option<f64>,
}

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageLanguage {
    /// Tiếng Việt.
    Vi,
    /// English.
    En,
}

/// The TOML file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    listen: Option<SocketAddr>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    language: Option<MessageLanguage>,
    minimum_households: Option<u64>,
    maximum_variation: Option<f64>,
}

/// The settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// Whether the data folder was named rather than the default.
    pub data_named: bool,
    /// The address to serve on.
    pub listen: SocketAddr,
    /// What to log.
    pub log: String,
    /// How to log.
    pub log_format: LogFormat,
    /// Language of messages.
    pub language: MessageLanguage,
    /// The publication rule's number.
    pub minimum_households: u64,
    /// The largest coefficient of variation to show, in percent.
    pub maximum_variation: Option<f64>,
}

/// A settings file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file has an error.
    #[error("{path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A percentage that cannot be meant.
    #[error("the largest coefficient of variation (maximum_variation) is {0} percent; it must be a number above 0")]
    MaximumVariation(f64),
}

impl Config {
    /// The settings in force for these flags.
    ///
    /// # Errors
    /// [`ConfigError`] when the TOML file cannot be read or has an error.
    pub fn resolve(flags: &Flags) -> Result<Self, ConfigError> {
        let file = match &flags.config {
            Some(path) => File::read(path)?,
            None => File::default(),
        };
        let data = flags.data.clone().or(file.data);
        let maximum_variation = flags.maximum_variation.or(file.maximum_variation);
        if let Some(percent) = maximum_variation.filter(|percent| !percent.is_finite() || *percent <= 0.0) {
            return Err(ConfigError::MaximumVariation(percent));
        }
        Ok(Self {
            data_named: data.is_some(),
            data: data.unwrap_or_else(|| PathBuf::from(DATA)),
            listen: flags
                .listen
                .or(file.listen)
                .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, PORT).into()),
            log: flags.log.clone().or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: flags.log_format.or(file.log_format).unwrap_or(LogFormat::Text),
            language: flags.language.or(file.language).unwrap_or(MessageLanguage::Vi),
            minimum_households: flags.minimum_households.or(file.minimum_households).unwrap_or(5),
            maximum_variation,
        })
    }

    /// What may be shown.
    pub fn publication_rules(&self) -> PublicationRules {
        PublicationRules {
            minimum_households: self.minimum_households,
            maximum_coefficient_of_variation: self.maximum_variation.map(|percent| percent / 100.0),
        }
    }
}

impl File {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| ConfigError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }
}
