//! Conflicts of responses, and officials who settle them.

use serde::Serialize;
use survey_forms::answers::{AnswerPath, Answers as _, Value};
use survey_forms::model::Form;
use survey_forms::session::{AnswerError, Session};
use survey_forms::xpath::{EvaluationContext, Moment, RandomSeed, SignatureVerifier};
use sync_core::device::{DeviceKey, DevicePublicKey};
use sync_core::exchange::delivery::{Delivery, KeptAttestation};
use sync_core::exchange::{AdmissionError, CarriedAttestation, CarriedBuilder, Limits, RefusalReason, admit_carried};
use sync_core::identity::ResponseId;
use sync_core::response::{Conflict, Edit, Response, ResponseError};
use uuid::Uuid;

use crate::clock;
use crate::devices::admit_official;
use crate::rounds::{self, Round};
use crate::store::{Store, StoreError};
use crate::sync::{Source, changes_of, take};

/// Vietnam's offset from UTC, by which officials' days begin.
const UTC_OFFSET_MINUTES: i32 = 7 * 60;

/// What an official decides for.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// One of the answers that differ, by its number from 1 in the order of [`Conflict::values`].
    Claim(usize),
    /// Another answer.
    Answer(Value),
    /// No answer.
    Clear,
}

/// Who settles.
#[derive(Debug)]
pub struct Settler<'a> {
    /// The official's key.
    pub key: &'a DeviceKey,
    /// The official's name, as volunteers will read it.
    pub name: &'a str,
}

/// Why nothing was settled.
#[derive(Debug, thiserror::Error)]
pub enum SettlingError {
    /// There is no response of the unit.
    #[error("unit {unit} has no response in this round")]
    NoResponse {
        /// The unit's code.
        unit: String,
    },
    /// Nobody contradicts anybody there.
    #[error("people agree about {path} of unit {unit}; `khaosat conflict show {unit}` lists where they do not")]
    NoConflict {
        /// The unit's code.
        unit: String,
        /// The question.
        path: AnswerPath,
    },
    /// There are fewer answers.
    #[error("there is no answer {number}; choose one from 1 to {answers}")]
    NoClaim {
        /// What was asked for.
        number: usize,
        /// How many there are.
        answers: usize,
    },
    /// The form does not take the answer.
    #[error("{en}")]
    Refused {
        /// Why, in Vietnamese.
        vi: String,
        /// Why, in English.
        en: String,
    },
    /// The change may not enter the log.
    #[error("the decision cannot be kept: {0}")]
    NotTaken(RefusalReason),
    /// The change is none that may be kept, in practice never.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The round's form cannot be read.
    #[error("the round's form cannot be read: {0}")]
    Form(String),
    /// The response is damaged.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SettlingError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::NoResponse { unit } => format!("hộ {unit} chưa có phiếu trong đợt này"),
            Self::NoConflict { unit, path } => format!(
                "phiếu {unit} không có câu trả lời khác nhau ở {path}; xem các câu khác nhau bằng `khaosat conflict show {unit}`"
            ),
            Self::NoClaim { number, answers } => {
                format!("không có câu trả lời số {number}; hãy chọn từ 1 đến {answers}")
            }
            Self::Refused { vi, .. } => vi.clone(),
            Self::NotTaken(reason) => format!("không lưu được quyết định: {}", reason.vietnamese()),
            Self::Admission(error) => error.vietnamese(),
            Self::Form(reason) => format!("không đọc được phiếu hỏi của đợt: {reason}"),
            Self::Response(error) => error.vietnamese(),
            Self::Store(error) => error.vietnamese(),
        }
    }
}

impl From<AnswerError<ResponseError>> for SettlingError {
    fn from(error: AnswerError<ResponseError>) -> Self {
        Self::Refused {
            vi: error.vietnamese(),
            en: error.to_string(),
        }
    }
}

/// One conflict of a response, for people.
#[derive(Debug, Serialize)]
pub struct ShownConflict {
    /// The question's key.
    pub question: String,
    /// The instance of a repeat that it is in.
    pub instance: Option<String>,
    /// The different answers, numbered from 1 by their places.
    pub answers: Vec<ShownAnswer>,
}

/// One of the answers that differ.
#[derive(Debug, Serialize)]
pub struct ShownAnswer {
    /// The answer; none where somebody cleared it.
    pub value: Option<Value>,
    /// Who gave it: names of devices, or the beginnings of actors that no device here has.
    pub authors: Vec<String>,
    /// When it was first given, by the device's clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
}

/// Whether people gave the answers that differ. What phones record by themselves differs between any two of them, and is
/// nobody's to settle.
pub(crate) fn is_claimed(form: &Form, conflict: &Conflict) -> bool {
    form.node(&conflict.path.question).is_none_or(|row| row.kind.is_asked())
}

struct Found {
    hamlet_key: i64,
    response: Response,
}

/// The open conflicts of a unit's response.
///
/// # Errors
/// [`SettlingError::NoResponse`], or what the store reports.
pub async fn conflicts(store: &Store, round: &Round, unit: &str) -> Result<Vec<ShownConflict>, SettlingError> {
    let found = find(store, round, unit).await?;
    let form = form(store, round).await?;
    let devices: Vec<(Vec<u8>, String)> = sqlx::query_as("SELECT public_key, name FROM device")
        .fetch_all(&store.readers)
        .await
        .map_err(StoreError::from)?;
    let named = |actor: &str| {
        let mut devices = devices.iter().filter_map(|(key, name)| {
            let key: [u8; 32] = key.as_slice().try_into().ok()?;
            (DevicePublicKey(key).actor().to_string() == actor).then(|| name.clone())
        });
        devices
            .next()
            .unwrap_or_else(|| actor.chars().take(8).collect::<String>())
    };
    Ok(found
        .response
        .read()
        .conflicts
        .into_iter()
        .filter(|conflict| is_claimed(&form, conflict))
        .map(|conflict| ShownConflict {
            question: conflict.path.question.clone(),
            instance: conflict
                .path
                .instance
                .as_ref()
                .map(|instance| instance.as_str().to_owned()),
            answers: conflict
                .values()
                .into_iter()
                .map(|value| {
                    let given = conflict.claims.iter().filter(|claim| claim.value == value);
                    ShownAnswer {
                        authors: given.clone().map(|claim| named(&claim.actor.to_string())).collect(),
                        time: given
                            .map(|claim| claim.time)
                            .min()
                            .unwrap_or_default()
                            .saturating_mul(1000),
                        value,
                    }
                })
                .collect(),
        })
        .collect())
}

/// Settles a conflict: the official's decision becomes a signed change of the response, which reaches every phone like any
/// other. The form has its say as in an interview, also about what follows from the answer. Gives what holds now.
///
/// # Errors
/// [`SettlingError`]; nothing is changed then.
pub async fn settle(
    store: &Store,
    round: &Round,
    unit: &str,
    path: &AnswerPath,
    settlement: &Settlement,
    by: Settler<'_>,
) -> Result<Option<Value>, SettlingError> {
    let Found {
        hamlet_key,
        mut response,
    } = find(store, round, unit).await?;
    let conflicts = response.read().conflicts;
    let conflict = conflicts.iter().find(|conflict| conflict.path == *path);
    let conflict = conflict.ok_or_else(|| SettlingError::NoConflict {
        unit: unit.to_owned(),
        path: path.clone(),
    })?;
    let value = decided(conflict, settlement)?;
    let form = form(store, round).await?;
    let now = clock::now();
    let context = context(round, unit, now);
    let (_, change) = response.edit(&by.key.actor(), now / 1000, |edit| {
        answer(&form, edit, context, path, value.as_ref())
    })?;
    let Some(change) = change else { return Ok(value) };

    admit_official(store, by.key, by.name, hamlet_key).await?;
    let hash = change.hash();
    let attestation = CarriedAttestation {
        device: by.key.public(),
        hashes: hash.0.to_vec().into(),
        signature: by.key.attest(&[hash]),
    };
    let mut carried = CarriedBuilder::default();
    carried.add(round.id, unit, change.raw_bytes(), &attestation);
    let carried = carried.finish();
    let verdicts = admit_carried(&carried, &Limits::default())?;
    let kept = KeptAttestation {
        hashes: vec![hash],
        signature: attestation.signature,
    };
    let delivery = Delivery::new(verdicts, vec![kept]);
    let taken = take(store, delivery, Source::Carried).await?;
    match taken.refused.into_iter().next() {
        Some(refusal) => Err(SettlingError::NotTaken(refusal.reason)),
        None => Ok(value),
    }
}

fn decided(conflict: &Conflict, settlement: &Settlement) -> Result<Option<Value>, SettlingError> {
    let values = conflict.values();
    match settlement {
        Settlement::Answer(value) => Ok(Some(value.clone())),
        Settlement::Clear => Ok(None),
        Settlement::Claim(number) => {
            let place = number.checked_sub(1);
            let value = place.and_then(|place| values.get(place).cloned());
            value.ok_or(SettlingError::NoClaim {
                number: *number,
                answers: values.len(),
            })
        }
    }
}

/// Answers as in an interview, and writes the decision also where it is what is shown already.
fn answer(
    form: &Form,
    edit: &mut Edit<'_>,
    context: EvaluationContext,
    path: &AnswerPath,
    value: Option<&Value>,
) -> Result<(), SettlingError> {
    if edit.answer(path).as_ref() != value {
        let mut session = Session::new(form, &mut *edit, context);
        match value {
            Some(value) => session.answer(path, value.clone())?,
            None => session.clear(path)?,
        }
    }
    Ok(edit.settle(path, value)?)
}

async fn find(store: &Store, round: &Round, unit: &str) -> Result<Found, SettlingError> {
    let id = ResponseId::of(round.id, unit);
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT response_key, hamlet_key FROM response WHERE id = $1")
        .bind(id.0)
        .fetch_optional(&store.readers)
        .await
        .map_err(StoreError::from)?;
    let (response_key, hamlet_key) = row.ok_or_else(|| SettlingError::NoResponse { unit: unit.to_owned() })?;
    let mut changes = changes_of(&store.readers, &[response_key]).await?;
    let changes = changes.remove(&response_key).unwrap_or_default();
    Ok(Found {
        hamlet_key,
        response: Response::with_changes(id, changes)?,
    })
}

async fn form(store: &Store, round: &Round) -> Result<Form, SettlingError> {
    let workbook = rounds::workbook(&store.readers, &round.form_hash)
        .await?
        .unwrap_or_default();
    survey_forms::xlsform::read(&workbook).map_err(|error| SettlingError::Form(error.to_string()))
}

fn context(round: &Round, unit: &str, now: i64) -> EvaluationContext {
    let now = Moment {
        unix_milliseconds: now,
        utc_offset_minutes: UTC_OFFSET_MINUTES,
    };
    let mut context = EvaluationContext::new(now, "vi");
    let id: Uuid = ResponseId::of(round.id, unit).0;
    // The same for everybody who opens the response, so that what was shuffled stays in its order.
    context.random_seed = Some(RandomSeed(*id.as_bytes()));
    context.signature_verifier = Some(SignatureVerifier(|key, message, signature| {
        DevicePublicKey(*key).verify(message, signature).is_ok()
    }));
    context
}
