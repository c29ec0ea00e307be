//! Storage: one SQLite database in WAL mode, many readers, one writer.
//!
//! An acknowledgement means durable: SQLite runs with `synchronous = FULL`, so a commit returns only after the
//! write-ahead log is on disk, and nothing is answered before the commit.

mod folder;
mod writer;

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqlStr};

pub use folder::{DataFolder, FolderError};
pub use writer::{Job, Writer};

/// What goes wrong below: the disk, the database, a row that is not what this version wrote.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database was written by a later version, or a migration failed.
    #[error("the database could not be brought to this version: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The writer has stopped because the server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// Another connection keeps the write-ahead log in use.
    #[error("the database's write-ahead log is in use; do it again in a moment")]
    Busy,
    /// A stored value is not what this version writes.
    #[error("damaged data in table {table}: {reason}")]
    Damaged {
        /// Where.
        table: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl StoreError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Database(source) => format!("lỗi cơ sở dữ liệu: {source}"),
            Self::Migration(source) => format!("không nâng cấp được cơ sở dữ liệu: {source}"),
            Self::ShuttingDown => "máy chủ đang dừng".to_owned(),
            Self::Busy => "nhật ký ghi trước của cơ sở dữ liệu đang được dùng; hãy làm lại sau giây lát".to_owned(),
            Self::Damaged { table, reason } => format!("dữ liệu hỏng trong bảng {table}: {reason}"),
        }
    }
}

/// How long a statement waits for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that only read.
const READERS: u32 = 4;

/// The schema's history: each step is applied once, in order, and never changed afterwards.
const MIGRATIONS: [(i64, &str, &str); 16] = [
    (1, "initial", include_str!("../../migrations/0001_initial.sql")),
    (2, "log marks", include_str!("../../migrations/0002_log_marks.sql")),
    (3, "erasure", include_str!("../../migrations/0003_erasure.sql")),
    (4, "authority", include_str!("../../migrations/0004_authority.sql")),
    (5, "succession", include_str!("../../migrations/0005_succession.sql")),
    (6, "hub", include_str!("../../migrations/0006_hub.sql")),
    (7, "archive", include_str!("../../migrations/0007_archive.sql")),
    (8, "grants", include_str!("../../migrations/0008_grants.sql")),
    (
        9,
        "official figures",
        include_str!("../../migrations/0009_official_figures.sql"),
    ),
    (
        10,
        "suspected duplicates",
        include_str!("../../migrations/0010_suspected_duplicates.sql"),
    ),
    (
        11,
        "earlier sums",
        include_str!("../../migrations/0011_earlier_sums.sql"),
    ),
    (12, "attachments", include_str!("../../migrations/0012_attachments.sql")),
    (
        13,
        "added households",
        include_str!("../../migrations/0013_added_households.sql"),
    ),
    (16, "supervision", include_str!("../../migrations/0016_supervision.sql")),
    (
        17,
        "team invitations",
        include_str!("../../migrations/0017_team_invitations.sql"),
    ),
    (18, "officials", include_str!("../../migrations/0018_officials.sql")),
];

fn migrator() -> Migrator {
    let migration = |(version, description, sql): (i64, &'static str, &'static str)| {
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            SqlStr::from_static(sql),
            false,
        )
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

/// An open database.
#[derive(Clone)]
pub struct Store {
    /// Connections that only read.
    pub readers: SqlitePool,
    /// The one writer.
    pub writer: Writer,
}

impl Store {
    /// Opens the database file, brings it to this version's schema, and starts the writer.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened or migrated.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", "-16384")
            // What is deleted is overwritten: an erased answer must not stay in free pages.
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        let mut connection = options.connect().await?;
        migrator().run_direct(None, &mut connection, false).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self {
            readers,
            writer: Writer::start(connection),
        })
    }

    /// Waits until everything that was handed to the writer is durable, and closes the database.
    pub async fn close(self) {
        self.readers.close().await;
        // The last connection to close brings the write-ahead log into the database file and removes it.
        self.writer.close().await;
    }
}
