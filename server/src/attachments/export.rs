//! Writing the files of a round into a folder.

use std::io;
use std::path::Path;

use sqlx::SqlitePool;

use crate::store::StoreError;

/// Why the files are not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder cannot be written to.
    #[error("cannot write {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
}

impl From<sqlx::Error> for ExportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Writes every file of the round with this key to `folder/UNIT/NAME`, one at a time, and says how many there are.
///
/// # Errors
/// [`ExportError`]; files that were written before that stay.
pub(crate) async fn write(readers: &SqlitePool, round_key: i64, folder: &Path) -> Result<u64, ExportError> {
    let names: Vec<(i64, String, String)> = sqlx::query_as(
        "SELECT response_key, response.unit, attachment.name FROM attachment JOIN response USING (response_key)
         WHERE response.round_key = $1 ORDER BY response.unit, attachment.name",
    )
    .bind(round_key)
    .fetch_all(readers)
    .await?;
    let mut written = 0;
    for (response_key, unit, name) in names {
        let bytes: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT bytes FROM attachment WHERE response_key = $1 AND name = $2")
                .bind(response_key)
                .bind(&name)
                .fetch_optional(readers)
                .await?;
        // Erased in the meantime.
        let Some(bytes) = bytes else { continue };
        let place = folder.join(as_folder(&unit));
        let path = place.join(&name);
        std::fs::create_dir_all(&place)
            .and_then(|()| std::fs::write(&path, bytes))
            .map_err(|source| ExportError::Io {
                path: path.display().to_string(),
                source,
            })?;
        written += 1;
    }
    Ok(written)
}

/// A unit's code as the name of a folder: whatever could lead elsewhere becomes `_`.
fn as_folder(unit: &str) -> String {
    let kept = |character: char| match character {
        '-' | '_' => character,
        other if other.is_alphanumeric() => other,
        _ => '_',
    };
    unit.chars().map(kept).collect()
}
