//! The installation above this one: how it is joined, and what is kept of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::ChangeHash;
use sync_core::device::DeviceKey;
use sync_core::exchange::forwarding::ForwardingState;
use sync_core::exchange::intake::HamletKey;

use super::error::HubError;
use super::frame;
use super::link::Link;
use crate::clock;
use crate::devices::{Enrolment, EnrolmentRequest, write_secret};
use crate::hex;
use crate::store::{Store, StoreError};

/// The file of the data folder that holds the bearer token.
const TOKEN: &str = "upstream.token";

/// The upstream as a hub speaks with it.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(super) link: Link,
    pub(super) token: String,
}

/// Joins an upstream with the one-time code of `khaosat device invite --hub`, and makes its round here where it is not. What was exchanged with another one before
/// is not forgotten: it is simply brought to this one too.
///
/// # Errors
/// [`HubError`]. Joining again with the same code goes on from where it ended.
pub(crate) async fn join(
    store: &Store,
    data: &Path,
    key: &DeviceKey,
    address: &str,
    code: &str,
) -> Result<Enrolment, HubError> {
    let link = Link::to(address)?;
    let request = EnrolmentRequest {
        code: code.to_owned(),
        public_key: key.public().to_string(),
        signature: hex::encode(&key.sign_enrolment(code)),
        name: None,
    };
    let json = encoded(&request)?;
    let asked = link.clone();
    let answer = tokio::task::spawn_blocking(move || asked.post_json("/api/v1/devices/enrol", &json))
        .await
        .map_err(|_| StoreError::ShuttingDown)??;
    let enrolment: Enrolment = serde_json::from_slice(&answer).map_err(|error| HubError::Unreachable {
        address: link.address().to_owned(),
        reason: error.to_string(),
    })?;
    let path = token_file(data);
    write_secret(&path, &enrolment.token).map_err(|source| HubError::Token { path, source })?;
    // What is here may be there already, from elsewhere.
    let state = ForwardingState {
        everything: true,
        ..ForwardingState::default()
    };
    let (address, state) = (link.address().to_owned(), encoded(&state)?);
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO upstream (upstream_key, address, state) VALUES (1, $1, $2) ON CONFLICT DO UPDATE
                     SET address = $1, state = $2, roster_sent = NULL, roster_known = NULL, reached_at = NULL",
                )
                .bind(address)
                .bind(state)
                .execute(&mut *connection)
                .await?;
                sqlx::query("DELETE FROM unsettled_change").execute(connection).await?;
                Ok(())
            })
        })
        .await?;
    let here: Option<i64> = sqlx::query_scalar("SELECT round_key FROM round WHERE id = $1")
        .bind(enrolment.round.0)
        .fetch_optional(&store.readers)
        .await
        .map_err(StoreError::from)?;
    if here.is_none() {
        frame::fetch(store, &link, &enrolment.token, enrolment.round).await?;
    }
    Ok(enrolment)
}

fn token_file(data: &Path) -> PathBuf {
    data.join(TOKEN)
}

pub(super) fn encoded<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))
}

impl Upstream {
    /// The upstream that was joined; none where this installation is no hub.
    ///
    /// # Errors
    /// [`HubError`] when the token cannot be read or the database fails.
    pub(crate) async fn of(store: &Store, data: &Path) -> Result<Option<Self>, HubError> {
        let address: Option<String> = sqlx::query_scalar("SELECT address FROM upstream")
            .fetch_optional(&store.readers)
            .await
            .map_err(StoreError::from)?;
        let Some(address) = address else { return Ok(None) };
        let path = token_file(data);
        let token = std::fs::read_to_string(&path).map_err(|source| HubError::Token { path, source })?;
        Ok(Some(Self {
            link: Link::to(&address)?,
            token: token.trim_ascii().to_owned(),
        }))
    }

    /// Its address.
    pub(crate) fn address(&self) -> &str {
        self.link.address()
    }
}

/// What is kept of the exchange with the upstream.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) state: ForwardingState,
    /// SHA-256 of the roster that the upstream has of this installation.
    pub(super) roster_sent: Option<[u8; 32]>,
    /// SHA-256 of the roster that this installation has of the upstream.
    pub(super) roster_known: Option<[u8; 32]>,
}

/// A change that upstream was brought and has not logged: why it refused it, none where it waits there.
pub(super) type Unsettled = (ChangeHash, Option<String>);

impl Kept {
    pub(super) async fn load(readers: &SqlitePool) -> Result<Self, StoreError> {
        type Row = (String, Option<Vec<u8>>, Option<Vec<u8>>);
        let row: Option<Row> = sqlx::query_as("SELECT state, roster_sent, roster_known FROM upstream")
            .fetch_optional(readers)
            .await?;
        let Some((state, roster_sent, roster_known)) = row else {
            return Ok(Self::default());
        };
        let digest = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            state: serde_json::from_str(&state).map_err(|error| StoreError::Damaged {
                table: "upstream",
                reason: error.to_string(),
            })?,
            roster_sent: digest(roster_sent),
            roster_known: digest(roster_known),
        })
    }
}

/// What is kept when an answer of the upstream came, together with what it brought: a log that has something of an
/// upstream's without the cursor behind it would not notice that the upstream lost it.
#[derive(Debug, Clone)]
pub(crate) struct Settlement {
    pub(super) kept: Kept,
    /// The changes that were brought.
    pub(super) brought: Vec<ChangeHash>,
    /// Those of them that the upstream has not logged.
    pub(super) unsettled: Vec<Unsettled>,
    /// The hamlets of the frame here.
    pub(crate) frame: BTreeSet<HamletKey>,
}

impl Settlement {
    pub(crate) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query("UPDATE upstream SET state = $1, roster_sent = $2, roster_known = $3, reached_at = $4")
            .bind(encoded(&self.kept.state)?)
            .bind(self.kept.roster_sent.map(|digest| digest.to_vec()))
            .bind(self.kept.roster_known.map(|digest| digest.to_vec()))
            .bind(clock::now())
            .execute(&mut *connection)
            .await?;
        let brought: Vec<String> = self.brought.iter().map(ToString::to_string).collect();
        sqlx::query("DELETE FROM unsettled_change WHERE hash IN (SELECT unhex(value) FROM json_each($1))")
            .bind(encoded(&brought)?)
            .execute(&mut *connection)
            .await?;
        for (hash, reason) in &self.unsettled {
            sqlx::query("INSERT INTO unsettled_change (hash, reason) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(hash.0.as_slice())
                .bind(reason)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

/// So many of the unsettled changes.
pub(super) async fn unsettled(readers: &SqlitePool, limit: i64) -> Result<Vec<ChangeHash>, StoreError> {
    let hashes: Vec<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM unsettled_change LIMIT $1")
        .bind(limit)
        .fetch_all(readers)
        .await?;
    Ok(hashes
        .into_iter()
        .filter_map(|hash| hash.try_into().ok().map(ChangeHash))
        .collect())
}
