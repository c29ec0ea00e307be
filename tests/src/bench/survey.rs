//! An installation with a sampled round, and phones whose forms are filled as the demo's volunteers fill them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use khaosat::demo::{self, Hamlet, Household};
use khaosat::devices::{InvitationKind, Invitee, invite};
use khaosat::rounds::{self, Round};
use khaosat::store::{DataFolder, Store};
use rand::SeedableRng as _;
use rand_chacha::ChaCha12Rng;
use survey_forms::answers::Value;
use survey_forms::model::Form;
use sync_core::Change;
use sync_core::response::{Edit, Visit};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::installation::{Server, free_address};
use crate::phone::Phone;

/// The seed of everything that is random.
const SEED: u64 = 394;
/// What phones take for now: 10 November 2025, in seconds since 1970-01-01T00:00:00Z.
const NOW: i64 = 1_762_736_400;

/// The roster of the household form.
pub const ROSTER: &str = "members";
/// A question of the roster, which is corrected where a measurement needs a later change.
pub const QUESTION: &str = "health_record";

/// A fresh installation with one round.
pub struct Survey {
    folder: TempDir,
    /// The round.
    pub round: Round,
    /// Its form.
    pub form: Arc<Form>,
    /// The sampled hamlets: code, and codes of the households to survey.
    pub hamlets: Vec<(String, Vec<String>)>,
    runtime: Runtime,
}

/// A phone and the households that it surveys.
pub struct Assignment {
    /// The phone.
    pub phone: Phone,
    /// The households' codes.
    pub units: Vec<String>,
}

impl Survey {
    /// Makes an installation that surveys so many households of a synthetic frame.
    pub fn new(households: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let (round, workbook, units) = runtime.block_on(async {
            let store = demo::install(&DataFolder::create(&path).unwrap(), households, SEED)
                .await
                .unwrap();
            let round = rounds::load(&store.readers).await.unwrap().pop().unwrap();
            let workbook = rounds::workbook(&store.readers, &round.form_hash).await.unwrap();
            let units: Vec<(String, String)> = sqlx::query_as(
                "SELECT frame_hamlet.code, sampled_unit.code FROM sampled_unit JOIN frame_hamlet USING (hamlet_key)
                 ORDER BY frame_hamlet.code, sampled_unit.code",
            )
            .fetch_all(&store.readers)
            .await
            .unwrap();
            store.close().await;
            (round, workbook.unwrap(), units)
        });
        let mut hamlets: Vec<(String, Vec<String>)> = Vec::new();
        for (hamlet, unit) in units {
            match hamlets.last_mut() {
                Some((last, units)) if *last == hamlet => units.push(unit),
                _ => hamlets.push((hamlet, vec![unit])),
            }
        }
        Self {
            folder,
            round,
            form: Arc::new(survey_forms::xlsform::read(&workbook).unwrap()),
            hamlets,
            runtime,
        }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The folder around the data folder, on the same disk, for baselines.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where asynchronous work of this thread runs.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Opens the database from this process.
    pub fn store(&self) -> Store {
        let database = DataFolder::open(&self.data()).unwrap().database();
        self.runtime.block_on(Store::open(&database)).unwrap()
    }

    /// Starts the server on a free port.
    pub fn serve(&self) -> Server {
        Server::start(&self.data(), free_address())
    }

    /// Enrols so many phones, which divide the hamlets among themselves.
    pub fn enrol(&self, server: &Server, phones: u16) -> Vec<Assignment> {
        // Every so many-th hamlet, so that the phones get about as many households each.
        let share = |number: u16| {
            let hamlets = self.hamlets.iter().skip(usize::from(number) - 1);
            hamlets.step_by(usize::from(phones)).collect()
        };
        self.enrol_with(server, phones, share)
    }

    /// Enrols so many phones, each of which surveys all hamlets.
    pub fn enrol_together(&self, server: &Server, phones: u16) -> Vec<Assignment> {
        self.enrol_with(server, phones, |_| self.hamlets.iter().collect())
    }

    /// Enrols the phones 1 to `phones` with the hamlets (code, codes of households) that `hamlets` gives to each.
    fn enrol_with<'a>(
        &'a self,
        server: &Server,
        phones: u16,
        hamlets: impl Fn(u16) -> Vec<&'a (String, Vec<String>)>,
    ) -> Vec<Assignment> {
        let store = self.store();
        let assignments = (1..=phones)
            .map(|number| {
                let (codes, units): (Vec<String>, Vec<Vec<String>>) = hamlets(number).into_iter().cloned().unzip();
                let name = format!("phone {number}");
                let invitation = self.runtime.block_on(invite(
                    &store,
                    self.round.key,
                    InvitationKind::Phone,
                    Invitee::One(&name),
                    &codes,
                ));
                let code = invitation.unwrap().code;
                Assignment {
                    phone: Phone::enrol_as(server.address, self.round.id.0, &code, number),
                    units: units.concat(),
                }
            })
            .collect();
        self.runtime.block_on(store.close());
        assignments
    }

    /// Interviews the first `households` households of each phone; the changes wait in the phones for their exchange.
    pub fn interview(&self, assignments: &mut [Assignment], households: usize) -> Vec<Vec<(String, Change)>> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = assignments.len().div_ceil(threads);
        thread::scope(|scope| {
            let working: Vec<_> = assignments
                .chunks_mut(share)
                .map(|assignments| {
                    scope.spawn(|| {
                        assignments
                            .iter_mut()
                            .map(|assignment| self.interview_all(assignment, households))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            working.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn interview_all(&self, assignment: &mut Assignment, households: usize) -> Vec<(String, Change)> {
        let phone = &mut assignment.phone;
        assignment
            .units
            .iter()
            .take(households)
            .map(|unit| {
                let household = household(unit);
                let device = phone.key.actor().to_string();
                let change = phone.edit(unit, |edit| {
                    visit(&self.form, edit, &household, &device);
                    Ok(())
                });
                (unit.clone(), change.unwrap())
            })
            .collect()
    }
}

/// An answer to [`QUESTION`] that is not the present one.
pub fn another(present: Option<Value>) -> Value {
    let told = Value::from("told");
    if present.as_ref() == Some(&told) {
        "seen".into()
    } else {
        told
    }
}

/// The household with this code.
pub fn household(unit: &str) -> Household {
    let mut seed = [0; 32];
    for (place, byte) in unit.bytes().enumerate() {
        seed[place % 32] ^= byte;
    }
    let mut random = ChaCha12Rng::from_seed(seed);
    let hamlet = Hamlet::new(false, &mut random);
    Household::new(hamlet, &mut random)
}

/// Visits a household: the whole form and the record of the visit.
pub fn visit(form: &Form, edit: &mut Edit<'_>, household: &Household, device: &str) {
    demo::interview(form, edit, household, NOW).unwrap();
    let record = Visit {
        device: device.to_owned(),
        started_at: NOW * 1000,
        ended_at: (NOW + 480) * 1000,
        outcome: "completed".to_owned(),
        call_back_at: None,
        position: None,
        audit: None,
    };
    edit.record_visit(&format!("{}-{NOW}", &device[..16]), &record).unwrap();
}
