//! `khaosat device list`, `revoke`, `grant`, `withdraw`, `appoint` and `dismiss`: what officials decide about devices.

use clap::Args;
use sync_core::device::DevicePublicKey;
use uuid::Uuid;

use super::{Failure, ReportFormat, digits, print_json, round};
use crate::config::Config;
use crate::devices::{self, Decision, ListedDevice};
use crate::store::{DataFolder, Store};

/// How to list the devices.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// Which device to revoke.
#[derive(Debug, Args)]
pub(super) struct RevokeArguments {
    /// The device's public key, as `khaosat device list` shows it
    #[arg(value_name = "KEY")]
    key: String,
    /// Why, to be kept: a document's number, no personal data
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Which device's role.
#[derive(Debug, Args)]
pub(super) struct RoleArguments {
    /// The device's public key, as `khaosat device list` shows it
    #[arg(value_name = "KEY")]
    key: String,
}

/// Which hamlets of which device.
#[derive(Debug, Args)]
pub(super) struct ScopeArguments {
    /// The device's public key, as `khaosat device list` shows it
    #[arg(value_name = "KEY")]
    key: String,
    /// The hamlets' codes
    #[arg(long = "hamlet", value_name = "CODE", required = true, num_args = 1..)]
    hamlets: Vec<String>,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
}

pub(super) async fn list(arguments: &ListArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let devices = devices::list(&store).await?;
    store.close().await;
    match arguments.format {
        ReportFormat::Json => print_json(&devices)?,
        ReportFormat::Text => devices.iter().for_each(print),
    }
    Ok(())
}

fn print(device: &ListedDevice) {
    println!("{}  {}", device.public_key, device.name);
    if device.leader {
        println!("  Tổ trưởng (team leader)");
    }
    println!("  Ấp, khu phố (hamlets): {}", device.hamlets.join(", "));
    if !device.withdrawn.is_empty() {
        println!("  Đã rút (withdrawn): {}", device.withdrawn.join(", "));
    }
    if let (Some(at), Some(ahead)) = (&device.last_heard_at, device.clock_ahead) {
        println!(
            "  Liên lạc cuối (last heard from): {at}; đồng hồ nhanh (clock ahead by): {} s",
            ahead / 1000
        );
    }
    if let Some(at) = &device.revoked_at {
        let reason = device.revocation_reason.as_deref().unwrap_or_default();
        println!("  Đã thu hồi quyền (revoked): {at} {reason}");
    }
    if device.quarantined > 0 {
        println!("  Thay đổi chờ xét (changes in quarantine): {}", device.quarantined);
    }
}

pub(super) async fn revoke(arguments: RevokeArguments, config: &Config) -> Result<(), Failure> {
    let device = DevicePublicKey(digits("KEY", &arguments.key)?);
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let revoked = devices::decide(
        &store,
        device,
        Decision::Revoke {
            reason: arguments.reason,
        },
    )
    .await?;
    store.close().await;
    println!(
        "{}",
        if revoked {
            "Đã thu hồi quyền; những gì máy này gửi từ nay sẽ chờ xét. \
             (Revoked; what this device brings from now on waits for a decision.)"
        } else {
            "Đã thu hồi quyền từ trước. (Revoked before.)"
        }
    );
    Ok(())
}

pub(super) async fn appoint(arguments: &RoleArguments, config: &Config) -> Result<(), Failure> {
    println!(
        "{}",
        match decide_role(arguments, Decision::Appoint, config).await? {
            true => "Đã giao làm tổ trưởng. (A team leader now.)",
            false => "Đã là tổ trưởng từ trước. (A team leader before.)",
        }
    );
    Ok(())
}

pub(super) async fn dismiss(arguments: &RoleArguments, config: &Config) -> Result<(), Failure> {
    println!(
        "{}",
        match decide_role(arguments, Decision::Dismiss, config).await? {
            true => "Không còn là tổ trưởng. (No team leader any more.)",
            false => "Máy này không phải của tổ trưởng. (The device was no team leader's.)",
        }
    );
    Ok(())
}

async fn decide_role(arguments: &RoleArguments, decision: Decision, config: &Config) -> Result<bool, Failure> {
    let device = DevicePublicKey(digits("KEY", &arguments.key)?);
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let changed = devices::decide(&store, device, decision).await?;
    store.close().await;
    Ok(changed)
}

pub(super) async fn grant(arguments: ScopeArguments, config: &Config) -> Result<(), Failure> {
    let decision = |round_key, hamlets| Decision::Grant { round_key, hamlets };
    if decide(arguments, decision, config).await? {
        println!("Đã giao. (Granted.)");
    } else {
        println!("Đã được giao từ trước. (Granted before.)");
    }
    Ok(())
}

pub(super) async fn withdraw(arguments: ScopeArguments, config: &Config) -> Result<(), Failure> {
    let decision = |round_key, hamlets| Decision::Withdraw { round_key, hamlets };
    if decide(arguments, decision, config).await? {
        println!("Đã rút. (Withdrawn.)");
    } else {
        println!("Máy này không được giao. (The device did not have it.)");
    }
    Ok(())
}

async fn decide(
    arguments: ScopeArguments,
    decision: impl FnOnce(i64, Vec<String>) -> Decision,
    config: &Config,
) -> Result<bool, Failure> {
    let device = DevicePublicKey(digits("KEY", &arguments.key)?);
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let round = round::pick(&store, arguments.round).await?;
    let changed = devices::decide(&store, device, decision(round.key, arguments.hamlets)).await?;
    store.close().await;
    Ok(changed)
}
