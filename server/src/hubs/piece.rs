//! The next stretch of a log to bring to another installation.

use std::collections::BTreeSet;

use sqlx::SqlitePool;
use sync_core::ChangeHash;
use sync_core::exchange::CarriedBuilder;
use sync_core::exchange::forwarding::Piece;

use crate::store::StoreError;
use crate::sync::carrying::{self, CarriedEntries, Selection, WAITING};
use crate::sync::{entry, forwarded_erasures, log_head, stored_hash};

/// Bytes of changes and attestations in one message, before compression; at least one change is brought.
const BYTES: usize = 4 << 20;
/// Changes in one message at most.
const CHANGES: i64 = 10_000;

/// Reads on from entry `after`. `first` are entries to bring before those, `hamlets` and `without` select as in
/// [`Selection`].
pub(super) async fn read(
    readers: &SqlitePool,
    after: i64,
    hamlets: Option<Vec<i64>>,
    without: Option<i64>,
    first: &CarriedEntries,
) -> Result<Piece, StoreError> {
    let head = log_head(readers).await?;
    let mut builder = CarriedBuilder::default();
    let mut brought = BTreeSet::new();
    let mut unlogged = Vec::new();
    for entry in first.iter() {
        if entry.seq == WAITING {
            unlogged.push(stored_hash(entry.hash.to_vec(), "waiting_change")?);
        }
        brought.insert(entry.seq);
        builder.add(entry.round, entry.unit, entry.bytes, entry.attestation);
    }
    let selection = Selection {
        hamlets: hamlets.clone(),
        after,
        until: head,
        without,
    };
    let entries = carrying::read(readers, &selection, CHANGES).await?;
    let mut last = after;
    let mut more = entries.len() as i64 == CHANGES;
    for entry in entries.iter() {
        let bytes = builder.bytes() + builder.more_bytes(entry.bytes, entry.attestation);
        if bytes > BYTES && last > after {
            more = true;
            break;
        }
        last = entry.seq;
        if !brought.contains(&entry.seq) {
            builder.add(entry.round, entry.unit, entry.bytes, entry.attestation);
        }
    }
    // Entries at the end that are not for the other one count as brought, or they would be looked at again and again.
    let end = if more { last } else { head };
    Ok(Piece {
        carried: builder.finish(),
        unlogged,
        erased: forwarded_erasures(readers, hamlets.as_deref(), after, end).await?,
        until: match end > after {
            true => Some(entry(readers, end).await?),
            false => None,
        },
        more,
    })
}

/// As many of the changes with these hashes as fit into a message, at least one, in the order of the log. With hamlets only
/// changes of those.
pub(super) async fn wanted(
    readers: &SqlitePool,
    hashes: &[ChangeHash],
    hamlets: Option<&[i64]>,
) -> Result<Piece, StoreError> {
    let entries = carrying::read_by_hash(readers, hashes, hamlets).await?;
    let mut builder = CarriedBuilder::default();
    for entry in entries.iter() {
        let bytes = builder.bytes() + builder.more_bytes(entry.bytes, entry.attestation);
        if bytes > BYTES && builder.bytes() > 0 {
            break;
        }
        builder.add(entry.round, entry.unit, entry.bytes, entry.attestation);
    }
    let more = builder.change_count() < entries.len();
    Ok(Piece {
        carried: builder.finish(),
        more,
        ..Piece::default()
    })
}
