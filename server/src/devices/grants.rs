//! Whether a device's cursor says what it has read of its hamlets.

use sqlx::SqlitePool;
use sync_core::exchange::Cursor;
use sync_core::exchange::answering::CursorState;

use super::Caller;
use crate::store::{Store, StoreError};
use crate::sync;

/// How often hamlets were granted to a device, and up to which time it has begun to read since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grants {
    pub(super) made: i64,
    pub(super) read: i64,
}

impl Caller {
    /// Whether the log has these cursors, and the device has read all of its hamlets up to them. A device that got another
    /// hamlet has not, and is told what one is told whose cursor is of another log: it compares, and gets what it lacks.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub(crate) async fn cursor_state(
        &self,
        readers: &SqlitePool,
        cursors: impl Iterator<Item = Cursor>,
    ) -> Result<CursorState, StoreError> {
        let cursors: Vec<Cursor> = cursors.collect();
        if !cursors.is_empty() && self.grants.made != self.grants.read {
            return Ok(CursorState::Foreign);
        }
        sync::cursor_state(readers, cursors.into_iter()).await
    }

    /// Remembers that the device has begun to read without a cursor, by the grants that it had when it asked.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub(crate) async fn begins_to_read(&self, store: &Store) -> Result<(), StoreError> {
        let (device_key, Grants { made, read }) = (self.device_key, self.grants);
        if made == read {
            return Ok(());
        }
        store
            .writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query("UPDATE device SET grants_read = $2 WHERE device_key = $1")
                        .bind(device_key)
                        .bind(made)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }
}
