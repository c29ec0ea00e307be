//! The database behind a stopped server, read without the server.

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::FromRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};

/// The rows of a query over an installation's database.
pub fn rows<T>(data: &Path, query: &'static str) -> Vec<T>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new()
            .filename(data.join("khaosat.sqlite"))
            .pragma("query_only", "ON")
            .connect()
            .await
            .unwrap();
        sqlx::query_as(query).fetch_all(&mut connection).await.unwrap()
    })
}
