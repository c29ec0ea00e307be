//! `khaosat demo`: a whole survey with simulated volunteers, from an empty folder to live estimates.
//!
//! The volunteers are real clients: each has a key and copies of its own, works without signal, and reaches the server by
//! HTTP alone, over connections that break. Everything that is random comes from the seed, so a seed gives the same
//! estimates every time, however often connections break or the server dies.

mod household;
mod hubs;
mod interview;
mod network;
mod progress;
mod report;
mod supervisor;
mod team;
mod territory;
mod volunteer;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use sync_core::identity::RoundId;
use uuid::Uuid;

use crate::cli::{EstimateFormat, Failure, initialise};
use crate::config::Config;
use crate::devices::{InvitationKind, Invitee, invite};
use crate::http::Text;
use crate::rounds::{self, NewRound, Round};
use crate::store::{DataFolder, FolderError, Store};
use crate::units::UnitTree;

pub use household::{Hamlet, Household, Person};
pub use interview::{InterviewError, interview};

use progress::Progress;
use supervisor::Supervisor;
use team::{HamletWork, SharedForm};
use territory::Territory;

/// The questionnaire.
const FORM: &[u8] = include_bytes!("../../../forms/household.xlsx");
/// The territory: Tiền Giang in its shape when the plan was made, with districts.
const ROOT: &str = "82";
const UNITS_ON: &str = "2022-12-19";
const REFERENCE_DATE: &str = "2025-10-01";
/// Hamlets whose teams are in the field at the same time.
const TEAMS: usize = 24;
/// Beside the data, what the demo was started with.
const PARAMETERS: &str = "demo.json";

/// A whole survey with simulated volunteers.
///
/// The seed decides everything, so the same seed gives the same table. If the demo is interrupted, the same command on
/// the same folder goes on with it.
#[derive(Debug, Clone, Args)]
pub struct DemoArguments {
    /// Households to survey, up to about 500000 (then it is a census)
    #[arg(long, value_name = "N", default_value_t = 240, value_parser = clap::value_parser!(u64).range(48..=600_000))]
    households: u64,
    /// The seed of all chances
    #[arg(long, value_name = "N", default_value_t = 394)]
    seed: u64,
    /// Exit after the table instead of keeping the console up
    #[arg(long)]
    once: bool,
    /// How to print the table; progress goes to standard error
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: EstimateFormat,
    /// Milliseconds that every phone waits before each exchange, to watch the figures move
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pace: u64,
    /// Whether phones reach the province's server themselves, or hubs of their communes
    #[arg(long, value_name = "TOPOLOGY", default_value = "direct")]
    topology: Topology,
}

/// Whom the phones reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Topology {
    /// The province's server
    Direct,
    /// Hubs, of which half forward to the province and half send it bundles by courier
    Hubs,
}

/// What decides a demo's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Parameters {
    households: u64,
    seed: u64,
}

/// A server that phones reach, and the hamlets whose teams do.
struct Site {
    address: SocketAddr,
    store: Store,
    work: Vec<Sampled>,
}

/// A hamlet where households are surveyed.
#[derive(Debug, Clone)]
struct Sampled {
    code: String,
    kind: String,
    commune: String,
}

/// What all teams of a site share.
struct Field {
    seed: u64,
    server: SocketAddr,
    form: SharedForm,
    pace: Duration,
    progress: Progress,
}

/// Runs the demo.
pub(crate) async fn run(arguments: DemoArguments, config: &Config) -> Result<(), Failure> {
    let parameters = Parameters {
        households: arguments.households,
        seed: arguments.seed,
    };
    let scratch = if config.data_named {
        None
    } else {
        Some(scratch_folder())
    };
    let path = scratch.clone().unwrap_or_else(|| config.data.clone());
    let outcome = survey(&arguments, &parameters, &path, config).await;
    if let Some(scratch) = scratch {
        // Nobody asked for the data to be kept.
        let _ = std::fs::remove_dir_all(scratch);
    }
    outcome
}

async fn survey(
    arguments: &DemoArguments,
    parameters: &Parameters,
    path: &Path,
    config: &Config,
) -> Result<(), Failure> {
    let listener = listen(config.listen)?;
    let address = listener.local_addr()?;
    let store = prepare(path, parameters).await?;
    let round = newest_round(&store).await?;
    let supervisor = Supervisor::start(path, listener, config.minimum_households).await?;
    eprintln!("http://{address}/ — trang điều hành (the console), {}", path.display());

    let work = sampled(&store, round.key).await?;
    let households: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sampled_unit WHERE round_key = $1")
        .bind(round.key)
        .fetch_one(&store.readers)
        .await?;
    let teams = work.len();
    let fieldwork = Fieldwork {
        seed: parameters.seed,
        pace: Duration::from_millis(arguments.pace),
        progress: Progress::new(2 * teams as u64, households.unsigned_abs()),
    };
    let survey = async {
        match arguments.topology {
            Topology::Direct => {
                let (site, store) = (address, store.clone());
                fieldwork
                    .at(&Site {
                        address: site,
                        store,
                        work,
                    })
                    .await?;
            }
            Topology::Hubs => {
                let province = hubs::Province {
                    path,
                    address,
                    store: &store,
                    round_key: round.key,
                };
                let hubs = hubs::Hubs::start(&province, parameters, work, config.minimum_households).await?;
                let worked = try_join_all(hubs.sites().map(|site| fieldwork.at(site))).await;
                let brought = match worked {
                    Ok(_) => hubs.bring(&province).await,
                    Err(failure) => Err(failure),
                };
                hubs.stop().await;
                brought?;
            }
        }
        fieldwork.progress.finish();
        Ok(())
    };
    let worked = tokio::select! {
        worked = survey => worked,
        _ = tokio::signal::ctrl_c() => Err(Failure::new(
            "đã dừng giữa chừng; chạy lại cùng lệnh với cùng --data để tiếp tục",
            "interrupted; the same command with the same --data goes on",
        )),
    };
    let invited = match worked {
        Ok(()) if !arguments.once => invite_visitor(&store, &round).await.map(Some),
        other => other.map(|()| None),
    };
    store.close().await;
    let code = match invited {
        Ok(code) => code,
        Err(failure) => {
            supervisor.stop().await;
            return Err(failure);
        }
    };

    let report = report::fetch(address, parameters.seed, teams).await?;
    report.print(arguments.format, config.language)?;
    if let Some(code) = code {
        eprintln!("http://{address}/ — trang điều hành (the console). Ctrl-C: dừng (stop).");
        eprintln!("http://{address}/phone/#code={code} — điện thoại của tình nguyện viên (a volunteer's phone)");
        tokio::signal::ctrl_c().await?;
    }
    supervisor.stop().await;
    Ok(())
}

/// A new installation with the synthetic round, or one that an interrupted demo with the same parameters left.
async fn prepare(path: &Path, parameters: &Parameters) -> Result<Store, Failure> {
    let marker = path.join(PARAMETERS);
    let before: Option<Parameters> = std::fs::read(&marker)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    let begun = before.as_ref() == Some(parameters);
    if begun && DataFolder::open(path).is_err() {
        // Interrupted before there was a database: the folder is as good as empty.
        std::fs::remove_file(&marker)?;
    }
    match DataFolder::create(path) {
        Ok(folder) => {
            // The parameters come first, so that whatever stands beside them is known to be this demo's.
            let json =
                serde_json::to_vec(parameters).map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
            std::fs::write(&marker, json)?;
            let store = initialise(&folder).await?;
            make_round(&store, parameters).await?;
            Ok(store)
        }
        Err(FolderError::Used { .. }) if begun => {
            eprintln!(
                "Tiếp tục đợt chạy thử trong {0} (going on with the demo in {0}).",
                path.display()
            );
            let folder = DataFolder::open(path)?;
            let store = Store::open(&folder.database()).await?;
            if rounds::load(&store.readers).await?.is_empty() {
                // Interrupted before the round was whole; reference data are replaced, so they can come twice.
                store.close().await;
                let store = initialise(&folder).await?;
                make_round(&store, parameters).await?;
                return Ok(store);
            }
            Ok(store)
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes a new installation with one simulated round: so many households sampled from a synthetic frame of the province,
/// all that is random coming from `seed`.
///
/// # Errors
/// [`Failure`] when the folder cannot be written or the territory does not hold so many households.
pub async fn install(folder: &DataFolder, households: u64, seed: u64) -> Result<Store, Failure> {
    let store = initialise(folder).await?;
    make_round(&store, &Parameters { households, seed }).await?;
    Ok(store)
}

async fn make_round(store: &Store, parameters: &Parameters) -> Result<(), Failure> {
    let tree = UnitTree::load(&store.readers, ROOT, UNITS_ON).await?;
    let mut chances = team::chances(parameters.seed, "territory");
    let Territory { hamlets, households } = Territory::make(&tree, parameters.households, &mut chances)?;
    let id = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("khaosat:demo:{}", parameters.seed).as_bytes(),
    );
    let round = NewRound {
        id: RoundId(id),
        name: Text::new("Khảo sát xã hội số (mô phỏng)", "Digital society survey (simulated)"),
        reference_date: REFERENCE_DATE.to_owned(),
        units_on: UNITS_ON.to_owned(),
        root_code: ROOT.to_owned(),
        simulated: true,
        workbook: FORM.to_vec(),
        hamlets,
        households,
    };
    Ok(rounds::create(store, round).await?)
}

/// Invites whoever looks at the demo to a sampled hamlet, with a phone of their own.
async fn invite_visitor(store: &Store, round: &Round) -> Result<String, Failure> {
    let hamlets = sampled(store, round.key).await?;
    let first = hamlets.into_iter().map(|hamlet| hamlet.code).take(1);
    let hamlets: Vec<String> = first.collect();
    let invitation = invite(
        store,
        round.key,
        InvitationKind::Phone,
        Invitee::One("Người dùng thử"),
        &hamlets,
    )
    .await?;
    Ok(invitation.code)
}

/// The sampled hamlets, whose teams get their codes when their turn comes.
async fn sampled(store: &Store, round_key: i64) -> Result<Vec<Sampled>, Failure> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT code, kind, commune_code FROM frame_hamlet
         WHERE round_key = $1 AND EXISTS (SELECT 1 FROM sampled_unit WHERE sampled_unit.hamlet_key = frame_hamlet.hamlet_key)
         ORDER BY code",
    )
    .bind(round_key)
    .fetch_all(&store.readers)
    .await?;
    let hamlet = |(code, kind, commune)| Sampled { code, kind, commune };
    Ok(rows.into_iter().map(hamlet).collect())
}

/// What is alike at all sites.
struct Fieldwork {
    seed: u64,
    pace: Duration,
    progress: Progress,
}

impl Fieldwork {
    /// All teams' days at a site, some teams at a time.
    async fn at(&self, site: &Site) -> Result<(), Failure> {
        let round = newest_round(&site.store).await?;
        let field = Arc::new(Field {
            seed: self.seed,
            server: site.address,
            form: SharedForm::default(),
            pace: self.pace,
            progress: self.progress.clone(),
        });
        stream::iter(site.work.clone())
            .map(|Sampled { code, kind, .. }| {
                let (field, store) = (Arc::clone(&field), site.store.clone());
                async move {
                    // The official's part: codes for the team's phones, made on the server's own machine.
                    let hamlets = [code.clone()];
                    let code_for = async |name: String| {
                        let invitation =
                            invite(&store, round.key, InvitationKind::Phone, Invitee::One(&name), &hamlets).await?;
                        Ok::<_, Failure>(invitation.code)
                    };
                    let codes = [
                        code_for(format!("{code} A")).await?,
                        code_for(format!("{code} B")).await?,
                    ];
                    let urban = kind != "ấp";
                    let work = HamletWork { code, urban, codes };
                    let day = tokio::spawn(async move { team::play(&field, work).await });
                    day.await
                        .map_err(|error| Failure::new(error.to_string(), error.to_string()))?
                }
            })
            .buffer_unordered(TEAMS)
            .try_collect::<()>()
            .await
    }
}

async fn newest_round(store: &Store) -> Result<Round, Failure> {
    rounds::load(&store.readers)
        .await?
        .pop()
        .ok_or_else(|| Failure::new("thư mục không có đợt khảo sát", "the folder has no round"))
}

fn scratch_folder() -> PathBuf {
    std::env::temp_dir().join(format!("khaosat-demo-{}", std::process::id()))
}

fn listen(wanted: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(wanted).map_err(|error| {
        Failure::new(
            format!(
                "không mở được địa chỉ {wanted}: {error}; chọn địa chỉ khác bằng --listen, ví dụ --listen 127.0.0.1:0"
            ),
            format!("cannot listen on {wanted}: {error}; choose another by --listen, for example --listen 127.0.0.1:0"),
        )
    })
}
