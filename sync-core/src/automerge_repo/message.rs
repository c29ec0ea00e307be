//! automerge-repo's messages as CBOR.

use ciborium::de::from_reader_with_recursion_limit;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

use super::RepoError;

/// The version of the protocol that is spoken here.
const VERSION: &str = "1";
/// How deep a message may be nested: a peer's metadata are a map in a map, and some room for what they hold.
const DEPTH: usize = 16;

/// What a peer says, as far as it matters to a side that only shows documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    /// It introduces itself under this name.
    Join { peer: String },
    /// It asks for a document, or goes on exchanging it.
    Sync { document: String, data: Vec<u8> },
    /// It goes.
    Leave,
    /// What is of no concern here: presence, heads on third machines, documents that it does not have, and what later
    /// versions add.
    Other { kind: String },
}

/// All fields of all messages; what else they have is skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(rename = "type")]
    kind: String,
    sender_id: Option<String>,
    document_id: Option<String>,
    data: Option<ByteBuf>,
    supported_protocol_versions: Option<Vec<String>>,
}

impl Incoming {
    /// Reads one frame.
    ///
    /// # Errors
    /// [`RepoError`] when it is no message, lacks a field, or is of another version of the protocol.
    pub(super) fn read(mut frame: &[u8]) -> Result<Self, RepoError> {
        let fields: Fields =
            from_reader_with_recursion_limit(&mut frame, DEPTH).map_err(|error| RepoError::Malformed {
                reason: error.to_string(),
            })?;
        if !frame.is_empty() {
            return Err(RepoError::Malformed {
                reason: format!("{} bytes follow the message", frame.len()),
            });
        }
        let kind = fields.kind;
        let missing = |field| {
            let kind = kind.clone();
            move || RepoError::MissingField { kind, field }
        };
        match kind.as_str() {
            "join" => {
                let peer = fields.sender_id.ok_or_else(missing("senderId"))?;
                match fields.supported_protocol_versions {
                    Some(offered) if !offered.iter().any(|version| version == VERSION) => {
                        Err(RepoError::UnsupportedVersion { offered })
                    }
                    // The first version of the protocol did not name itself.
                    _ => Ok(Self::Join { peer }),
                }
            }
            "request" | "sync" => Ok(Self::Sync {
                document: fields.document_id.ok_or_else(missing("documentId"))?,
                data: fields.data.ok_or_else(missing("data"))?.into_vec(),
            }),
            "leave" => Ok(Self::Leave),
            _ => Ok(Self::Other { kind }),
        }
    }

    /// The type of the message, as errors name it.
    pub(super) fn kind(&self) -> &str {
        match self {
            Self::Join { .. } => "join",
            Self::Sync { .. } => "sync",
            Self::Leave => "leave",
            Self::Other { kind } => kind,
        }
    }
}

/// What this side says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(super) enum Outgoing<'a> {
    /// Answers a `join`.
    Peer {
        sender_id: &'a str,
        target_id: &'a str,
        selected_protocol_version: &'a str,
        peer_metadata: Metadata,
    },
    /// A sync message of a document.
    Sync {
        sender_id: &'a str,
        target_id: &'a str,
        document_id: &'a str,
        data: &'a Bytes,
    },
    /// There is no such document for this peer.
    DocUnavailable {
        sender_id: &'a str,
        target_id: &'a str,
        document_id: &'a str,
    },
    /// Why the connection ends.
    Error {
        sender_id: &'a str,
        target_id: &'a str,
        message: &'a str,
    },
}

/// What a side tells of itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    /// Whether its state of synchronisation is forgotten with the connection.
    is_ephemeral: bool,
}

impl<'a> Outgoing<'a> {
    pub(super) fn peer(sender_id: &'a str, target_id: &'a str) -> Self {
        Self::Peer {
            sender_id,
            target_id,
            selected_protocol_version: VERSION,
            peer_metadata: Metadata { is_ephemeral: true },
        }
    }

    /// The message as one frame.
    pub(super) fn frame(&self) -> Vec<u8> {
        let mut frame = Vec::new();
        // Writing into memory does not fail, and these types have nothing that CBOR cannot hold.
        let written = ciborium::into_writer(self, &mut frame);
        debug_assert!(written.is_ok());
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ciborium::cbor;
    use ciborium::value::Value;

    fn frame(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn messages_of_peers_are_read() {
        let join = cbor!({
            "type" => "join", "senderId" => "p", "peerMetadata" => { "storageId" => null, "isEphemeral" => true },
            "supportedProtocolVersions" => ["1"],
        });
        let joined = Incoming::Join { peer: "p".to_owned() };
        assert_eq!(Incoming::read(&frame(&join.unwrap())), Ok(joined.clone()));
        let old = cbor!({ "type" => "join", "senderId" => "p" }).unwrap();
        assert_eq!(Incoming::read(&frame(&old)), Ok(joined));
        let request = cbor!({
            "type" => "request", "senderId" => "p", "targetId" => "s", "documentId" => "d", "data" => Bytes::new(b"x"),
        });
        let expected = Incoming::Sync {
            document: "d".to_owned(),
            data: b"x".to_vec(),
        };
        assert_eq!(Incoming::read(&frame(&request.unwrap())), Ok(expected));
        let presence = cbor!({ "type" => "ephemeral", "count" => 3, "data" => Bytes::new(b"x") }).unwrap();
        assert_eq!(Incoming::read(&frame(&presence)).unwrap().kind(), "ephemeral");
        // As cbor-x 1.6 writes { type: 'leave', senderId: undefined }.
        let leave = b"\xb9\x00\x02\x64type\x65leave\x68senderId\xf7";
        assert_eq!(Incoming::read(leave), Ok(Incoming::Leave));
    }

    #[test]
    fn what_is_no_message_is_refused_with_the_reason() {
        let later = cbor!({ "type" => "join", "senderId" => "p", "supportedProtocolVersions" => ["2"] }).unwrap();
        assert!(matches!(
            Incoming::read(&frame(&later)),
            Err(RepoError::UnsupportedVersion { .. })
        ));
        let nameless = cbor!({ "type" => "join" }).unwrap();
        let without = cbor!({ "type" => "sync", "documentId" => "d" }).unwrap();
        for (message, field) in [(nameless, "senderId"), (without, "data")] {
            let error = Incoming::read(&frame(&message)).unwrap_err();
            assert!(error.to_string().contains(field) && error.vietnamese().contains(field));
        }
        let mut twice = frame(&cbor!({ "type" => "leave" }).unwrap());
        twice.extend_from_within(..);
        let deep = [&b"\xa1\x64type"[..], &[0x81; 10_000]].concat();
        let long = [&b"\xa2\x64type\x64sync\x64data\x5b"[..], &[0xff; 8]].concat();
        for rubbish in [&b""[..], b"rubbish", b"\xa0", b"\x80", b"\xf6", &twice, &deep, &long] {
            let refused = Incoming::read(rubbish);
            assert!(matches!(refused, Err(RepoError::Malformed { .. })), "{refused:?}");
        }
    }

    #[test]
    fn own_messages_have_the_fields_of_the_protocol() {
        let read = |message: Outgoing<'_>| ciborium::from_reader::<Value, _>(message.frame().as_slice()).unwrap();
        let peer = cbor!({
            "type" => "peer", "senderId" => "s", "targetId" => "p", "selectedProtocolVersion" => "1",
            "peerMetadata" => { "isEphemeral" => true },
        });
        assert_eq!(read(Outgoing::peer("s", "p")), peer.unwrap());
        let (sender_id, target_id, document_id) = ("s", "p", "d");
        let unavailable =
            cbor!({ "type" => "doc-unavailable", "senderId" => "s", "targetId" => "p", "documentId" => "d" });
        let message = Outgoing::DocUnavailable {
            sender_id,
            target_id,
            document_id,
        };
        assert_eq!(read(message), unavailable.unwrap());
    }
}
