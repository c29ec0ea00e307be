//! What a request changes in the phone's storage: to be made durable as a whole, before the reply is passed on.

use serde_json::{Value, json};

use crate::record::{Record, RecordId};

/// Records to keep and to forget, in one transaction.
#[derive(Debug, Default)]
pub struct StoreChanges {
    put: Vec<(RecordId, Vec<u8>)>,
    delete: Vec<RecordId>,
    sealed: Vec<(RecordId, Vec<u8>)>,
    unsealed: Vec<RecordId>,
    draft: Option<bool>,
}

impl StoreChanges {
    /// Keeps a record in the place of what has its number.
    pub(crate) fn put(&mut self, id: RecordId, record: &Record) {
        self.put.retain(|(other, _)| *other != id);
        self.delete.retain(|other| *other != id);
        self.put.push((id, record.write()));
    }

    /// Forgets a record.
    pub(crate) fn delete(&mut self, id: RecordId) {
        self.put.retain(|(other, _)| *other != id);
        if !self.delete.contains(&id) {
            self.delete.push(id);
        }
    }

    /// Keeps what only the server can read, outside the phone's own encryption.
    pub(crate) fn seal(&mut self, id: RecordId, bundle: Vec<u8>) {
        self.sealed.push((id, bundle));
    }

    /// Forgets what was sealed.
    pub(crate) fn unseal(&mut self, id: RecordId) {
        self.sealed.retain(|(other, _)| *other != id);
        self.unsealed.push(id);
    }

    /// Says whether there is an open interview, which is nowhere sealed yet.
    pub(crate) fn draft(&mut self, open: bool) {
        self.draft = Some(open);
    }

    /// The changes as a reply's member, and the contents as its first parts.
    pub(crate) fn write(self) -> (Value, Vec<Vec<u8>>) {
        let numbers = |records: &[(RecordId, Vec<u8>)]| records.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let mut told = json!({
            "put": numbers(&self.put),
            "delete": self.delete,
            "sealed": numbers(&self.sealed),
            "unsealed": self.unsealed,
        });
        if let Some(draft) = self.draft {
            told["draft"] = json!(draft);
        }
        let contents = self.put.into_iter().chain(self.sealed);
        (told, contents.map(|(_, bytes)| bytes).collect())
    }
}
