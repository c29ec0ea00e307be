//! One peer's connection: who it is, and how far each document that it opened is exchanged.

use std::collections::BTreeMap;

use automerge::sync::{Have, Message, State, SyncDoc as _};
use serde_bytes::Bytes;

use super::message::{Incoming, Outgoing};
use super::{RepoError, document_id, response_of, sync_message};
use crate::identity::ResponseId;
use crate::response::Response;

/// Bytes of a peer's name at most.
const NAME: usize = 256;

/// One peer's connection. It does no I/O: frames go in and come out.
#[derive(Debug)]
pub struct Session {
    own: String,
    peer: Option<String>,
    documents: BTreeMap<ResponseId, State>,
    most_documents: usize,
}

/// What a frame asks for.
#[derive(Debug)]
pub enum Received {
    /// Nothing.
    Nothing,
    /// This frame is to be sent.
    Reply(Vec<u8>),
    /// A document, which is to be looked up and given to [`Session::answer`].
    Asked(Request),
    /// The peer goes.
    Leave,
}

/// A peer asks for a document.
#[derive(Debug)]
pub struct Request {
    /// Which response.
    pub response: ResponseId,
    message: Message,
}

impl Session {
    /// A connection on which this side is called `own`; it opens at most `most_documents`.
    pub fn new(own: String, most_documents: usize) -> Self {
        Self {
            own,
            peer: None,
            documents: BTreeMap::new(),
            most_documents,
        }
    }

    /// Whether the peer has introduced itself.
    pub fn has_joined(&self) -> bool {
        self.peer.is_some()
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// [`RepoError`] when the connection is to end, with the reason.
    pub fn receive(&mut self, frame: &[u8]) -> Result<Received, RepoError> {
        let message = Incoming::read(frame)?;
        if self.peer.is_none() && !matches!(message, Incoming::Join { .. }) {
            let kind = message.kind().to_owned();
            return Err(RepoError::NotJoined { kind });
        }
        match message {
            Incoming::Join { .. } if self.peer.is_some() => Err(RepoError::JoinedAlready),
            Incoming::Join { peer } if peer.len() > NAME => Err(RepoError::LongName { limit: NAME }),
            Incoming::Join { peer } => {
                let greeting = Outgoing::peer(&self.own, &peer).frame();
                self.peer = Some(peer);
                Ok(Received::Reply(greeting))
            }
            Incoming::Sync { document, data } => self.asked(&document, &data),
            Incoming::Leave => Ok(Received::Leave),
            Incoming::Other { .. } => Ok(Received::Nothing),
        }
    }

    fn asked(&mut self, document: &str, data: &[u8]) -> Result<Received, RepoError> {
        let message = sync_message::read(data)?;
        // A name of another kind is that of no response.
        let Some(response) = response_of(document) else {
            return Ok(Received::Reply(self.unavailable(document)));
        };
        if !self.documents.contains_key(&response) {
            if self.documents.len() >= self.most_documents {
                let limit = self.most_documents;
                return Err(RepoError::TooManyDocuments { limit });
            }
            self.documents.insert(response, State::new_read_only());
        }
        Ok(Received::Asked(Request { response, message }))
    }

    /// Answers a request with the response as it is now, or with none where there is none or none for this peer, which
    /// nobody can tell apart. The answer is a frame to be sent, or none where the peer has everything.
    ///
    /// # Errors
    /// [`RepoError::BadSyncMessage`] when the message does not fit the document.
    pub fn answer(&mut self, request: Request, response: Option<&mut Response>) -> Result<Option<Vec<u8>>, RepoError> {
        let Some(response) = response else {
            // Should it come in later, it is a new document to the peer.
            self.documents.insert(request.response, State::new_read_only());
            return Ok(Some(self.unavailable(&document_id(request.response))));
        };
        let state = self
            .documents
            .entry(request.response)
            .or_insert_with(State::new_read_only);
        response
            .document_mut()
            .receive_sync_message(state, request.message)
            .map_err(|error| RepoError::BadSyncMessage {
                reason: error.to_string(),
            })?;
        Ok(self.next(response))
    }

    /// The documents that the peer has open, or waits for.
    pub fn documents(&self) -> impl Iterator<Item = ResponseId> {
        self.documents.keys().copied()
    }

    /// Whether the peer has this document open, or waits for it.
    pub fn has_open(&self, response: ResponseId) -> bool {
        self.documents.contains_key(&response)
    }

    /// Tells the peer what is new in a document that it has open: a frame to be sent, or none where nothing is.
    pub fn update(&mut self, response: &Response) -> Option<Vec<u8>> {
        self.next(response)
    }

    /// A frame that tells the peer why the connection ends.
    pub fn farewell(&self, reason: &str) -> Vec<u8> {
        let message = Outgoing::Error {
            sender_id: &self.own,
            target_id: self.peer(),
            message: reason,
        };
        message.frame()
    }

    fn next(&mut self, response: &Response) -> Option<Vec<u8>> {
        let state = self.documents.get_mut(&response.id())?;
        let message = response.document().generate_sync_message(state);
        forget_filters(state);
        let data = message?.encode();
        let message = Outgoing::Sync {
            sender_id: &self.own,
            target_id: self.peer(),
            document_id: &document_id(response.id()),
            data: Bytes::new(&data),
        };
        Some(message.frame())
    }

    fn unavailable(&self, document_id: &str) -> Vec<u8> {
        let message = Outgoing::DocUnavailable {
            sender_id: &self.own,
            target_id: self.peer(),
            document_id,
        };
        message.frame()
    }

    fn peer(&self) -> &str {
        self.peer.as_deref().unwrap_or_default()
    }
}

/// A peer's Bloom filters are as large as it likes, so they are not kept once they are answered: what it has of later
/// changes is known from the heads that both have and from what was sent since.
fn forget_filters(state: &mut State) {
    state.their_need = state.their_need.as_ref().map(|_| Vec::new());
    state.their_have = state.their_have.as_ref().map(|_| {
        let last_sync = state.shared_heads.clone();
        let bloom = automerge::sync::BloomFilter::default();
        vec![Have { last_sync, bloom }]
    });
}
