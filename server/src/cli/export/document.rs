//! One response as an Automerge document, with its whole history.

use sync_core::identity::ResponseId;
use sync_core::response::Response;
use uuid::Uuid;

use super::Failure;
use crate::rounds::Round;
use crate::store::{Store, StoreError};
use crate::sync::changes_of;

/// Which response.
pub(super) enum Wanted<'a> {
    /// The one with this id.
    Response(Uuid),
    /// That of the unit with this code in the round.
    Unit(Round, &'a str),
}

/// The bytes of the document in the format that Automerge saves (Automerge binary document format): every logged change
/// is in it, so what people wrote concurrently is there as a conflict. Changes that wait for others are not.
pub(super) async fn read(store: &Store, wanted: &Wanted<'_>) -> Result<Vec<u8>, Failure> {
    let id = match wanted {
        Wanted::Response(id) => *id,
        Wanted::Unit(round, unit) => ResponseId::of(round.id, unit).0,
    };
    let key: Option<i64> = sqlx::query_scalar("SELECT response_key FROM response WHERE id = $1")
        .bind(id)
        .fetch_optional(&store.readers)
        .await?;
    // A response is known from the moment that its first change came, even if that one waits for another.
    let changes = match key {
        Some(key) => changes_of(&store.readers, &[key]).await?.remove(&key),
        None => None,
    };
    let Some(changes) = changes else {
        return Err(missing(store, wanted).await?);
    };
    let response = Response::restored(ResponseId(id), changes).map_err(|error| StoreError::Damaged {
        table: "change_log",
        reason: error.to_string(),
    })?;
    Ok(response.save())
}

/// Why there is no such response.
async fn missing(store: &Store, wanted: &Wanted<'_>) -> Result<Failure, StoreError> {
    let (round, unit) = match wanted {
        Wanted::Response(id) => {
            return Ok(Failure::new(
                format!("không có phiếu {id}"),
                format!("there is no response {id}"),
            ));
        }
        Wanted::Unit(round, unit) => (round, unit),
    };
    let sampled: Option<i64> =
        sqlx::query_scalar("SELECT hamlet_key FROM sampled_unit WHERE round_key = $1 AND code = $2")
            .bind(round.key)
            .bind(unit)
            .fetch_optional(&store.readers)
            .await?;
    let (vi, en) = match sampled {
        Some(_) => (
            format!("chưa có câu trả lời nào của {unit} trong đợt {}", round.id),
            format!("nothing has come in yet for {unit} in round {}", round.id),
        ),
        None => (
            format!("đợt {} không khảo sát {unit}", round.id),
            format!("round {} does not survey {unit}", round.id),
        ),
    };
    Ok(Failure::new(vi, en))
}
