//! `khaosat device`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::bundle::write_new;
use super::{Failure, authority, qr, read_within, roster, round};
use crate::clock;
use crate::config::Config;
use crate::devices::{InvitationKind, Invitee, invite, team_of};
use crate::store::{DataFolder, Store};

/// Phones and laptops that take part.
#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// Mời thiết bị: make a code with which a volunteer's phone, or each of a team, enrols for some hamlets
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
    /// Cả tổ dùng chung một mã: one code for a team, whose names stand here with commas between; each volunteer takes his own
    #[arg(long, value_name = "NAMES", conflicts_with_all = ["name", "hub"])]
    team: Option<String>,
    /// The same with the team's names in a file, one a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "hub", "team"])]
    team_file: Option<PathBuf>,
    /// The server's address as phones see it, to print the link of the invitation as well
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// Writes the link as a QR code into this SVG file, to be printed or shown at a meeting
    #[arg(long, value_name = "FILE", requires = "address")]
    qr: Option<PathBuf>,
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
    let team = match (&arguments.team, &arguments.team_file) {
        (Some(names), _) => Some(team_of(names.split(','))?),
        (None, Some(file)) => Some(team_in(file)?),
        (None, None) => None,
    };
    let invitee = team.as_deref().map_or(Invitee::One(&arguments.name), Invitee::Team);
    let invitation = invite(&store, round.key, kind, invitee, &hamlets).await?;
    store.close().await;
    let link = arguments
        .address
        .as_deref()
        .map(|address| link(address, &invitation.code));
    if let (Some(file), Some(link)) = (&arguments.qr, &link) {
        write_new(file, qr::image(link)?.as_bytes())?;
    }
    match arguments.format {
        InviteFormat::Text => {
            println!("{}", invitation.code);
            if let Some(link) = link {
                println!("{link}");
            }
            let until = clock::rfc3339(invitation.expires_at);
            match invitation.team.len() {
                0 => eprintln!("Mã dùng một lần, đến {until}. (One-time code, until {until}.)"),
                count => eprintln!(
                    "Mã chung cho {count} người, mỗi tên một máy, đến {until}. \
                     (One code for {count} people, one phone each, until {until}.)"
                ),
            }
        }
        InviteFormat::Json => {
            let json = serde_json::to_string(&invitation)
                .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
            println!("{json}");
        }
    }
    Ok(())
}

/// Bytes of a file of names at most.
const TEAM_FILE_BYTES: usize = 1 << 20;

fn team_in(file: &Path) -> Result<Vec<String>, Failure> {
    let bytes = read_within(file, TEAM_FILE_BYTES)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new("tệp không phải văn bản UTF-8", "the file is no text in UTF-8").of_file(file))?;
    team_of(text.trim_start_matches('\u{feff}').lines()).map_err(|error| Failure::from(error).of_file(file))
}

/// The link that opens the phone app with a code. Browsers keep what stands behind `#` to themselves.
fn link(address: &str, code: &str) -> String {
    format!("{}/phone/#code={code}", address.trim_end_matches('/'))
}
