//! `khaosat device`.

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::{Failure, authority, roster, round};
use crate::clock;
use crate::config::Config;
use crate::devices::{InvitationKind, invite};
use crate::store::{DataFolder, Store};

/// Phones and laptops that take part.
#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// Mời một thiết bị: make a one-time code with which a volunteer's phone enrols for some hamlets
    Invite(InviteArguments),
    /// Danh sách: list the devices with their hamlets, clocks and what waits for a decision
    List(authority::ListArguments),
    /// Thu hồi quyền: revoke a device for good; what it brings from now on waits for a decision
    Revoke(authority::RevokeArguments),
    /// Giao thêm ấp, khu phố: let a device read and write more hamlets
    Grant(authority::ScopeArguments),
    /// Rút ấp, khu phố: withdraw hamlets; the device may still deliver what it wrote there before
    Withdraw(authority::ScopeArguments),
    /// Giao làm tổ trưởng: let a device supervise the field work of its hamlets
    Appoint(authority::RoleArguments),
    /// Thôi làm tổ trưởng: let a device supervise no more; what it decided stays
    Dismiss(authority::RoleArguments),
    /// Ghi danh sách thiết bị: write a signed roster of the devices enrolled here, for another installation
    Export(roster::ExportArguments),
    /// Nhập danh sách thiết bị: enrol the devices of another installation's roster, to read bundles of what they wrote
    Import(roster::ImportArguments),
}

/// Whom to invite for what.
#[derive(Debug, Args)]
pub(super) struct InviteArguments {
    /// A hamlet that the device may read and write; give it several times for several
    #[arg(long = "hamlet", value_name = "CODE", required_unless_present = "communes")]
    hamlets: Vec<String>,
    /// A commune all of whose hamlets it may read and write; give it several times for several
    #[arg(long = "commune", value_name = "CODE")]
    communes: Vec<String>,
    /// Invite a hub: a commune's own server, which brings what many phones wrote (`khaosat upstream join` there)
    #[arg(long)]
    hub: bool,
    /// Invite a team's leader, who supervises the field work of the hamlets
    #[arg(long, conflicts_with = "hub")]
    leader: bool,
    /// The phone's or the volunteer's name for the lists
    #[arg(long, value_name = "NAME", default_value = "Điện thoại")]
    name: String,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: InviteFormat,
}

/// How to print an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InviteFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
}

pub(super) async fn run(command: DeviceCommand, config: &Config) -> Result<(), Failure> {
    match command {
        DeviceCommand::Invite(arguments) => invite_device(arguments, config).await,
        DeviceCommand::List(arguments) => authority::list(&arguments, config).await,
        DeviceCommand::Revoke(arguments) => authority::revoke(arguments, config).await,
        DeviceCommand::Grant(arguments) => authority::grant(arguments, config).await,
        DeviceCommand::Withdraw(arguments) => authority::withdraw(arguments, config).await,
        DeviceCommand::Appoint(arguments) => authority::appoint(&arguments, config).await,
        DeviceCommand::Dismiss(arguments) => authority::dismiss(&arguments, config).await,
        DeviceCommand::Export(arguments) => roster::export(&arguments, config).await,
        DeviceCommand::Import(arguments) => roster::import(&arguments, config).await,
    }
}

async fn invite_device(arguments: InviteArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let round = round::pick(&store, arguments.round).await?;
    let mut hamlets = arguments.hamlets;
    for commune in &arguments.communes {
        let codes: Vec<String> = sqlx::query_scalar(
            "SELECT code FROM frame_hamlet WHERE round_key = $1 AND commune_code = $2 ORDER BY code",
        )
        .bind(round.key)
        .bind(commune)
        .fetch_all(&store.readers)
        .await?;
        if codes.is_empty() {
            return Err(Failure::new(
                format!("đợt khảo sát không có ấp, khu phố nào của xã mã {commune}"),
                format!("the round's frame has no hamlet of commune {commune}"),
            ));
        }
        hamlets.extend(codes);
    }
    let kind = match (arguments.hub, arguments.leader) {
        (true, _) => InvitationKind::Hub,
        (false, true) => InvitationKind::Leader,
        (false, false) => InvitationKind::Phone,
    };
    let invitation = invite(&store, round.key, kind, &arguments.name, &hamlets).await?;
    store.close().await;
    match arguments.format {
        InviteFormat::Text => {
            println!("{}", invitation.code);
            let until = clock::rfc3339(invitation.expires_at);
            eprintln!("Mã dùng một lần, đến {until}. (One-time code, until {until}.)");
        }
        InviteFormat::Json => {
            let json = serde_json::to_string(&invitation)
                .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
            println!("{json}");
        }
    }
    Ok(())
}
