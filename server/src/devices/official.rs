//! Officials as authors: what an official decides about answers is a change like a volunteer's, signed by a key of the
//! official's own, so that every phone shows who decided.

use sync_core::device::DeviceKey;

use super::authority;
use super::enrolment::NAME_BYTES;
use super::new_token;
use crate::clock;
use crate::store::{Store, StoreError};

/// Makes sure that the official with this key may write in a hamlet. Nobody learns the token, so nobody can speak to the
/// server as this device.
///
/// # Errors
/// [`StoreError`] when the database fails or the system gives no random numbers.
pub(crate) async fn admit_official(
    store: &Store,
    key: &DeviceKey,
    name: &str,
    hamlet_key: i64,
) -> Result<(), StoreError> {
    let (_, token_hash) = new_token().map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))?;
    let (public, name) = (key.public(), name.chars().take(NAME_BYTES).collect::<String>());
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                let now = clock::now();
                sqlx::query(
                    "INSERT INTO device (public_key, name, token_hash, enrolled_at, official) VALUES ($1, $2, $3, $4, TRUE)
                     ON CONFLICT (public_key) DO NOTHING",
                )
                .bind(public.0.as_slice())
                .bind(&name)
                .bind(&token_hash)
                .bind(now)
                .execute(&mut *connection)
                .await?;
                let (device_key, is_granted): (i64, bool) = sqlx::query_as(
                    "SELECT device_key, EXISTS (SELECT 1 FROM device_scope
                                                WHERE device_scope.device_key = device.device_key AND hamlet_key = $2)
                     FROM device WHERE public_key = $1",
                )
                .bind(public.0.as_slice())
                .bind(hamlet_key)
                .fetch_one(&mut *connection)
                .await?;
                // What was withdrawn from an official stays withdrawn.
                if !is_granted {
                    authority::grant(connection, device_key, hamlet_key, now).await?;
                }
                Ok(())
            })
        })
        .await
}
