//! The demonstration's hubs: servers of their own on this machine, of which half forward to the province and half only
//! send it bundles, as communes without any line would.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::supervisor::Supervisor;
use super::{Parameters, Sampled, Site, prepare};
use crate::cli::Failure;
use crate::devices::{InstallationKeys, InvitationKind, Invitee, invite};
use crate::hubs::{Upstream, join};
use crate::store::{DataFolder, Store};

/// Hubs at most; the communes are dealt out to them.
const HUBS: usize = 6;

/// The server above the hubs.
pub(super) struct Province<'a> {
    pub(super) path: &'a Path,
    pub(super) address: SocketAddr,
    pub(super) store: &'a Store,
    pub(super) round_key: i64,
}

/// All hubs, running.
pub(super) struct Hubs(Vec<Hub>);

struct Hub {
    path: PathBuf,
    site: Site,
    supervisor: Supervisor,
    /// Whether it reaches the province by network.
    forwards: bool,
}

impl Hubs {
    /// Makes the hubs, or goes on with those of an interrupted demonstration, and starts them.
    pub(super) async fn start(
        province: &Province<'_>,
        parameters: &Parameters,
        work: Vec<Sampled>,
        minimum_households: u64,
    ) -> Result<Self, Failure> {
        let mut communes: BTreeMap<String, Vec<Sampled>> = BTreeMap::new();
        for hamlet in work {
            communes.entry(hamlet.commune.clone()).or_default().push(hamlet);
        }
        let mut shares: Vec<Vec<Sampled>> = (0..communes.len().min(HUBS)).map(|_| Vec::new()).collect();
        for (place, hamlets) in communes.into_values().enumerate() {
            shares[place % HUBS].extend(hamlets);
        }
        let mut hubs = Vec::with_capacity(shares.len());
        for (number, work) in shares.into_iter().enumerate() {
            let path = province.path.join("hubs").join((number + 1).to_string());
            let forwards = number % 2 == 0;
            let store = prepare(&path, parameters).await?;
            if forwards {
                become_hub(province, &path, &store, &work).await?;
            }
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?;
            let supervisor = Supervisor::start(&path, listener, minimum_households).await?;
            let way = match forwards {
                true => "chuyển tiếp qua mạng (forwards)",
                false => "chỉ gửi gói (bundles only)",
            };
            eprintln!("http://{address}/ — trạm (hub) {}: {way}", number + 1);
            hubs.push(Hub {
                path,
                site: Site { address, store, work },
                supervisor,
                forwards,
            });
        }
        Ok(Self(hubs))
    }

    /// The servers that phones reach.
    pub(super) fn sites(&self) -> impl Iterator<Item = &Site> {
        self.0.iter().map(|hub| &hub.site)
    }

    /// Brings the province what it does not have yet, by the commands that officials would use.
    pub(super) async fn bring(&self, province: &Province<'_>) -> Result<(), Failure> {
        let keys = InstallationKeys::of(&DataFolder::open(province.path)?)?;
        let recipient = keys.sealing.public().to_string();
        for hub in &self.0 {
            if hub.forwards {
                command(&hub.path, &["upstream", "sync"]).await?;
                continue;
            }
            let key = InstallationKeys::of(&DataFolder::open(&hub.path)?)?
                .signing
                .public()
                .to_string();
            let (roster, bundle) = (hub.path.join("devices.roster"), hub.path.join("answers.khaosat"));
            for left_over in [&roster, &bundle] {
                if left_over.exists() {
                    std::fs::remove_file(left_over)?;
                }
            }
            let (roster, bundle) = (roster.to_string_lossy(), bundle.to_string_lossy());
            command(&hub.path, &["device", "export", "--output", &roster]).await?;
            command(
                &hub.path,
                &["bundle", "write", "--output", &bundle, "--seal-to", &recipient],
            )
            .await?;
            command(province.path, &["device", "import", &roster, "--from", &key]).await?;
            command(province.path, &["bundle", "read", &bundle]).await?;
        }
        Ok(())
    }

    /// Stops all of them.
    pub(super) async fn stop(self) {
        for hub in self.0 {
            hub.site.store.close().await;
            hub.supervisor.stop().await;
        }
    }
}

/// Joins the province for the hamlets where the hub's teams work, unless that was done before the demonstration was
/// interrupted.
async fn become_hub(province: &Province<'_>, path: &Path, store: &Store, work: &[Sampled]) -> Result<(), Failure> {
    let address = format!("http://{}", province.address);
    let joined = Upstream::of(store, path).await?;
    if joined.is_some_and(|upstream| upstream.address() == address) {
        return Ok(());
    }
    let hamlets: Vec<String> = work.iter().map(|hamlet| hamlet.code.clone()).collect();
    let name = format!("Trạm {}", path.file_name().unwrap_or_default().to_string_lossy());
    let invitation = invite(
        province.store,
        province.round_key,
        InvitationKind::Hub,
        Invitee::One(&name),
        &hamlets,
    )
    .await?;
    let keys = InstallationKeys::of(&DataFolder::open(path)?)?;
    join(store, path, &keys.signing, &address, &invitation.code).await?;
    Ok(())
}

/// Runs one of this program's own commands on an installation.
async fn command(data: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let done = Command::new(std::env::current_exe()?)
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .await?;
    if done.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(Failure::new(told.clone(), told))
}
