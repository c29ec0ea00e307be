//! Making a round, whole or not at all.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteConnection;
use survey_forms::model::Form;
use sync_core::identity::RoundId;

use super::{FrameHamlet, SampledUnit};
use crate::estimates::{Measures, MeasuresError};
use crate::http::Text;
use crate::registry;
use crate::store::{Store, StoreError};
use crate::units::{Level, UnitTree};

/// A round to be made.
#[derive(Debug)]
pub struct NewRound {
    /// Its name everywhere.
    pub id: RoundId,
    /// Its name for people.
    pub name: Text,
    /// The date for which it asks, ISO 8601.
    pub reference_date: String,
    /// The day whose administrative units it uses, ISO 8601.
    pub units_on: String,
    /// The code of the unit that it surveys.
    pub root_code: String,
    /// Whether its answers are simulated.
    pub simulated: bool,
    /// The form's workbook.
    pub workbook: Vec<u8>,
    /// The frame.
    pub hamlets: Vec<FrameHamlet>,
    /// The sample.
    pub households: Vec<SampledUnit>,
}

/// Why a round cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The form is not readable.
    #[error("the form has errors:\n{0}")]
    Form(#[from] survey_forms::model::FormProblems),
    /// The registry's expressions do not fit the form.
    #[error(transparent)]
    Measures(#[from] MeasuresError),
    /// There is no such unit on that day.
    #[error("there is no administrative unit {code} on {on}; import units or choose another day")]
    UnknownRoot {
        /// The code.
        code: String,
        /// The day.
        on: String,
    },
    /// A hamlet's commune is not below the round's unit.
    #[error("hamlet {hamlet}: there is no commune {commune} below unit {root} on {on}")]
    UnknownCommune {
        /// The hamlet's code.
        hamlet: String,
        /// The commune's code.
        commune: String,
        /// The round's unit.
        root: String,
        /// The day.
        on: String,
    },
    /// A stratum has hamlets of several districts, or the frame has no hamlets.
    #[error("the frame has no hamlets")]
    EmptyFrame,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RoundError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Form(errors) => format!("phiếu khảo sát có lỗi:\n{}", errors.vietnamese()),
            Self::Measures(error) => error.vietnamese(),
            Self::UnknownRoot { code, on } => {
                format!("không có đơn vị hành chính mã {code} vào ngày {on}; hãy nhập danh mục hoặc chọn ngày khác")
            }
            Self::UnknownCommune {
                hamlet,
                commune,
                root,
                on,
            } => {
                format!("ấp {hamlet}: không có xã mã {commune} thuộc đơn vị {root} vào ngày {on}")
            }
            Self::EmptyFrame => "danh sách ấp, khu phố trống".to_owned(),
            Self::Store(error) => error.vietnamese(),
        }
    }
}

/// Makes a round in one transaction.
///
/// # Errors
/// [`RoundError`]; nothing is kept then.
pub async fn create(store: &Store, round: NewRound) -> Result<(), RoundError> {
    let form = survey_forms::xlsform::read(&round.workbook)?;
    Measures::compile(form.clone(), &registry::load(&store.readers).await?)?;
    if round.hamlets.is_empty() {
        return Err(RoundError::EmptyFrame);
    }
    let tree = UnitTree::load(&store.readers, &round.root_code, &round.units_on).await?;
    let hamlets = round
        .hamlets
        .iter()
        .map(|hamlet| (hamlet.code.as_str(), hamlet.commune_code.as_str()));
    check_communes(&tree, &round.root_code, &round.units_on, hamlets)?;
    Ok(store
        .writer
        .write(move |connection| Box::pin(async move { insert(connection, &round, &form).await }))
        .await?)
}

/// Every hamlet of a round, given with the code of its commune, must lie below the round's unit `root` in the tree of the
/// day `on`.
///
/// # Errors
/// [`RoundError::UnknownRoot`] or [`RoundError::UnknownCommune`].
pub fn check_communes<'a>(
    tree: &UnitTree,
    root: &str,
    on: &str,
    hamlets: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), RoundError> {
    if tree.nodes().is_empty() {
        return Err(RoundError::UnknownRoot {
            code: root.to_owned(),
            on: on.to_owned(),
        });
    }
    for (hamlet, commune) in hamlets {
        let node = tree.find(commune).and_then(|node| tree.nodes().get(node));
        if node.is_none_or(|node| node.level != Level::Commune) {
            return Err(RoundError::UnknownCommune {
                hamlet: hamlet.to_owned(),
                commune: commune.to_owned(),
                root: root.to_owned(),
                on: on.to_owned(),
            });
        }
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, round: &NewRound, form: &Form) -> Result<(), StoreError> {
    let hash = form.content_hash();
    sqlx::query("INSERT INTO form (hash, form_id, version, workbook) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        .bind(hash.as_slice())
        .bind(&form.settings().form_id)
        .bind(&form.settings().version)
        .bind(&round.workbook)
        .execute(&mut *connection)
        .await?;
    let round_key: i64 = sqlx::query_scalar(
        "INSERT INTO round (id, name_vi, name_en, reference_date, units_on, root_code, form_hash, simulated, open)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, TRUE) RETURNING round_key",
    )
    .bind(round.id.0)
    .bind(&round.name.vi)
    .bind(&round.name.en)
    .bind(&round.reference_date)
    .bind(&round.units_on)
    .bind(&round.root_code)
    .bind(hash.as_slice())
    .bind(round.simulated)
    .fetch_one(&mut *connection)
    .await?;

    let mut keys: BTreeMap<&str, i64> = BTreeMap::new();
    for hamlet in &round.hamlets {
        let key: i64 = sqlx::query_scalar(
            "INSERT INTO frame_hamlet (round_key, code, name, kind, commune_code, stratum, households)
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING hamlet_key",
        )
        .bind(round_key)
        .bind(&hamlet.code)
        .bind(&hamlet.name)
        .bind(&hamlet.kind)
        .bind(&hamlet.commune_code)
        .bind(&hamlet.stratum)
        .bind(i64::try_from(hamlet.households).unwrap_or(i64::MAX))
        .fetch_one(&mut *connection)
        .await?;
        keys.insert(&hamlet.code, key);
    }
    for household in &round.households {
        sqlx::query("INSERT INTO sampled_unit (round_key, code, hamlet_key, address) VALUES ($1, $2, $3, $4)")
            .bind(round_key)
            .bind(&household.code)
            .bind(keys.get(household.hamlet_code.as_str()))
            .bind(&household.address)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
