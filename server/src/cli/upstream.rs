//! `khaosat upstream`.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Failure, ReportFormat, print_json};
use crate::clock;
use crate::config::Config;
use crate::devices::InstallationKeys;
use crate::hubs::{HubError, Reached, Upstream, join, reach};
use crate::store::{DataFolder, Store};

/// The server above this one.
#[derive(Debug, Subcommand)]
pub(super) enum UpstreamCommand {
    /// Kết nối với máy chủ cấp trên: make this installation a hub of another, with the code that
    /// `khaosat device invite --hub` printed there
    Join(JoinArguments),
    /// Chuyển ngay: exchange with the upstream now; a running server does it by itself
    Sync(SyncArguments),
    /// Xem: show the upstream, when it was last reached, and what it has not taken
    Show(ShowArguments),
}

/// Which upstream.
#[derive(Debug, Args)]
pub(super) struct JoinArguments {
    /// Its address: https://…
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// The one-time code
    #[arg(value_name = "CODE")]
    code: String,
}

/// How to print.
#[derive(Debug, Args)]
pub(super) struct SyncArguments {
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// How to print.
#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

pub(super) async fn run(command: UpstreamCommand, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let done = match command {
        UpstreamCommand::Join(arguments) => join_upstream(&store, &folder, &arguments).await,
        UpstreamCommand::Sync(arguments) => sync(&store, &folder, arguments.format).await,
        UpstreamCommand::Show(arguments) => show(&store, arguments.format).await,
    };
    store.close().await;
    done
}

async fn join_upstream(store: &Store, folder: &DataFolder, arguments: &JoinArguments) -> Result<(), Failure> {
    let keys = InstallationKeys::of(folder)?;
    let code = arguments.code.trim();
    let enrolment = join(store, folder.path(), &keys.signing, &arguments.address, code).await?;
    let hamlets = enrolment.hamlets.len();
    println!(
        "Đã kết nối, {hamlets} ấp, khu phố; hãy khởi động lại máy chủ ở đây nếu đang chạy. \
         (Joined, for {hamlets} hamlets; start the server here again if it runs.)"
    );
    Ok(())
}

async fn sync(store: &Store, folder: &DataFolder, format: ReportFormat) -> Result<(), Failure> {
    let upstream = Upstream::of(store, folder.path()).await?.ok_or(HubError::NoUpstream)?;
    let reached = reach(store, &upstream, true).await?;
    match format {
        ReportFormat::Json => print_json(&reached)?,
        ReportFormat::Text => {
            let Reached {
                brought,
                waiting,
                refused,
                new,
                not_taken,
                ..
            } = reached;
            println!(
                "Đã gửi {brought} thay đổi ({waiting} đang chờ, {refused} bị từ chối), nhận {new} thay đổi mới \
                 ({not_taken} không nhận được). ({brought} brought: {waiting} waiting, {refused} refused; {new} new here, \
                 {not_taken} not taken)"
            );
        }
    }
    Ok(())
}

/// What is known of the upstream.
#[derive(Debug, Serialize)]
struct Shown {
    address: String,
    /// When it was last reached, RFC 3339.
    reached_at: Option<String>,
    /// Changes here that it was not brought yet.
    behind: i64,
    /// Changes that it was brought and has not logged, by its reason.
    unsettled: Vec<Unsettled>,
}

#[derive(Debug, Serialize)]
struct Unsettled {
    /// None where they wait there for others.
    reason: Option<String>,
    changes: i64,
}

async fn show(store: &Store, format: ReportFormat) -> Result<(), Failure> {
    let row: Option<(String, Option<i64>, i64)> = sqlx::query_as(
        "SELECT address, reached_at, (SELECT COUNT(*) FROM change_log
             WHERE seq > COALESCE(json_extract(upstream.state, '$.forwarded[0]'), 0)
             AND (carried_by IS NOT 0 OR json_extract(upstream.state, '$.everything')))
         FROM upstream",
    )
    .fetch_optional(&store.readers)
    .await?;
    let (address, reached_at, behind) = row.ok_or(HubError::NoUpstream)?;
    let unsettled: Vec<(Option<String>, i64)> =
        sqlx::query_as("SELECT reason, COUNT(*) FROM unsettled_change GROUP BY reason ORDER BY reason")
            .fetch_all(&store.readers)
            .await?;
    let unsettled = unsettled.into_iter();
    let shown = Shown {
        address,
        reached_at: reached_at.map(clock::rfc3339),
        behind,
        unsettled: unsettled
            .map(|(reason, changes)| Unsettled { reason, changes })
            .collect(),
    };
    if let ReportFormat::Json = format {
        return print_json(&shown);
    }
    let never = "chưa lần nào (never)".to_owned();
    let (address, behind) = (&shown.address, shown.behind);
    let reached = shown.reached_at.unwrap_or(never);
    println!("{address}: lần cuối (last reached) {reached}; {behind} thay đổi chưa gửi (not brought yet)");
    for Unsettled { reason, changes } in shown.unsettled {
        let reason = reason.unwrap_or_else(|| "đang chờ ở đó (waiting there)".to_owned());
        println!("  {changes}: {reason}");
    }
    Ok(())
}
