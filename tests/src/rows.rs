//! The database behind a stopped server, without the server.

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::FromRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};

/// The rows of a query over an installation's database.
pub fn rows<T>(data: &Path, query: &'static str) -> Vec<T>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    within(data, async |mut connection| {
        sqlx::query_as(query).fetch_all(&mut connection).await.unwrap()
    })
}

/// Changes an installation's database behind the program's back, as time or damage does.
pub fn change(data: &Path, statement: &'static str) {
    within(data, async |mut connection| {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    });
}

fn within<T>(data: &Path, work: impl AsyncFnOnce(SqliteConnection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let options = SqliteConnectOptions::new().filename(data.join("khaosat.sqlite"));
    runtime.block_on(async { work(options.connect().await.unwrap()).await })
}
