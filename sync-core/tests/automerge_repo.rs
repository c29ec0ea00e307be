//! Peers that look into responses by automerge-repo's protocol: they see what is there and what comes in, and nothing that
//! they send changes anything.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use automerge::sync::{Message, State, SyncDoc as _};
use automerge::transaction::Transactable as _;
use automerge::{Automerge, ReadDoc as _};
use ciborium::cbor;
use ciborium::value::Value;
use proptest::prelude::*;
use serde_bytes::Bytes;
use survey_forms::answers::{AnswerPath, AnswersMut as _};
use sync_core::ActorId;
use sync_core::automerge_repo::{Received, RepoError, Session, document_id};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::Response;
use uuid::Uuid;

fn id(unit: &str) -> ResponseId {
    ResponseId::of(RoundId(Uuid::nil()), unit)
}

fn answer(response: &mut Response, question: &str, text: &str) {
    let actor = ActorId::from(&[7u8; 16][..]);
    response
        .edit(&actor, 1, |edit| {
            edit.put_answer(&AnswerPath::top(question), &text.into())
        })
        .unwrap();
}

fn frame(value: Result<Value, ciborium::value::Error>) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(&value.unwrap(), &mut bytes).unwrap();
    bytes
}

fn asking(kind: &str, document: &str, data: &[u8]) -> Vec<u8> {
    let data = Bytes::new(data);
    frame(cbor!({ "type" => kind, "senderId" => "p", "targetId" => "s", "documentId" => document, "data" => data }))
}

fn fields(frame: &[u8]) -> Value {
    ciborium::from_reader(frame).unwrap()
}

fn field<'a>(message: &'a Value, name: &str) -> &'a Value {
    let fields = message.as_map().unwrap();
    &fields.iter().find(|(key, _)| key.as_text() == Some(name)).unwrap().1
}

fn joined(most_documents: usize) -> Session {
    let mut session = Session::new("server".to_owned(), most_documents);
    let join = frame(cbor!({ "type" => "join", "senderId" => "p", "supportedProtocolVersions" => ["1"] }));
    let Received::Reply(greeting) = session.receive(&join).unwrap() else {
        panic!("a join is answered");
    };
    assert_eq!(field(&fields(&greeting), "type").as_text(), Some("peer"));
    assert!(session.has_joined());
    session
}

/// Somebody's copy of a document, exchanged by Automerge itself.
struct Peer {
    copy: Automerge,
    state: State,
}

impl Peer {
    fn new() -> Self {
        Self {
            copy: Automerge::new(),
            state: State::new(),
        }
    }

    fn take(&mut self, frame: &[u8]) {
        let message = fields(frame);
        assert_eq!(field(&message, "type").as_text(), Some("sync"), "{message:?}");
        let message = Message::decode(field(&message, "data").as_bytes().unwrap()).unwrap();
        self.copy.receive_sync_message(&mut self.state, message).unwrap();
    }

    /// Exchanges until neither side has anything to say.
    fn exchange(&mut self, session: &mut Session, response: &mut Response) {
        while let Some(message) = self.copy.generate_sync_message(&mut self.state) {
            let asked = asking("sync", &document_id(response.id()), &message.encode());
            let Received::Asked(request) = session.receive(&asked).unwrap() else {
                panic!("a document is asked for");
            };
            let Some(answer) = session.answer(request, Some(response)).unwrap() else {
                return;
            };
            self.take(&answer);
        }
    }

    fn save(&self) -> Vec<u8> {
        self.copy.save()
    }
}

#[test]
fn a_peer_sees_a_response_and_every_later_change() {
    let mut response = Response::new(id("A1")).unwrap();
    answer(&mut response, "fibre_available", "yes");
    let mut session = joined(10);
    let mut peer = Peer::new();
    peer.exchange(&mut session, &mut response);
    assert_eq!(peer.save(), response.save());

    for number in 0..20 {
        answer(&mut response, "household_size", &number.to_string());
        let news = session.update(&response).expect("a change is told");
        peer.take(&news);
        assert_eq!(peer.copy.get_heads(), response.heads());
        if number % 3 == 0 {
            peer.exchange(&mut session, &mut response);
        }
        assert_eq!(session.update(&response), None, "nothing is told twice");
    }
    assert_eq!(peer.save(), response.save());
}

#[test]
fn what_a_peer_writes_reaches_nobody() {
    let mut response = Response::new(id("A1")).unwrap();
    answer(&mut response, "fibre_available", "yes");
    let mut session = joined(10);
    let mut peer = Peer::new();
    peer.exchange(&mut session, &mut response);
    let before = response.save();

    for number in 0..5i64 {
        let mut transaction = peer.copy.transaction();
        let (_, answers) = transaction.get(automerge::ROOT, "answers").unwrap().unwrap();
        transaction.put(&answers, "household_size", number).unwrap();
        transaction.commit();
        // A peer of an earlier release does not know that this side is read-only, and sends its changes.
        peer.state.peer_read_only = false;
        let message = peer.copy.generate_sync_message(&mut peer.state).unwrap();
        assert!(!message.changes.is_empty());
        let asked = asking("sync", &document_id(response.id()), &message.encode());
        let Received::Asked(request) = session.receive(&asked).unwrap() else {
            panic!("a document is asked for");
        };
        if let Some(answer) = session.answer(request, Some(&mut response)).unwrap() {
            peer.take(&answer);
        }
        assert_eq!(response.save(), before);
    }
    // It is told so, and a current one then sends none.
    let mut fresh = Peer::new();
    let mut other = joined(10);
    fresh.exchange(&mut other, &mut response);
    assert!(fresh.state.is_peer_read_only());
    // And what others write still reaches it, beside its own.
    answer(&mut response, "roof", "tile");
    peer.take(&session.update(&response).unwrap());
    assert!(
        response
            .heads()
            .iter()
            .all(|head| peer.copy.get_change_by_hash(head).is_some())
    );
}

#[test]
fn nobody_can_tell_a_response_out_of_reach_from_none() {
    let mut session = joined(10);
    let mut peer = Peer::new();
    let message = peer.copy.generate_sync_message(&mut peer.state).unwrap().encode();
    let document = document_id(id("A1"));
    let unavailable = |session: &mut Session| {
        let Received::Asked(request) = session.receive(&asking("request", &document, &message)).unwrap() else {
            panic!("a document is asked for");
        };
        session.answer(request, None).unwrap().unwrap()
    };
    let told = fields(&unavailable(&mut session));
    assert_eq!(field(&told, "type").as_text(), Some("doc-unavailable"));
    assert_eq!(field(&told, "documentId").as_text(), Some(document.as_str()));
    assert_eq!(unavailable(&mut session), unavailable(&mut session));
    let foreign = session.receive(&asking("request", "no-such-name", &message)).unwrap();
    let Received::Reply(told) = foreign else {
        panic!("a name of another kind is nobody's");
    };
    assert_eq!(field(&fields(&told), "type").as_text(), Some("doc-unavailable"));

    // It comes in later.
    let mut response = Response::new(id("A1")).unwrap();
    answer(&mut response, "fibre_available", "yes");
    peer.take(&session.update(&response).unwrap());
    peer.exchange(&mut session, &mut response);
    assert_eq!(peer.save(), response.save());
}

#[test]
fn a_connection_has_its_order_and_its_limits() {
    let kind = |refused: Result<Received, RepoError>| refused.unwrap_err().name();
    let leave = frame(cbor!({ "type" => "leave", "senderId" => "p" }));
    let mut session = Session::new("server".to_owned(), 2);
    assert_eq!(kind(session.receive(&leave)), "not-joined");
    let named = |name: &str| frame(cbor!({ "type" => "join", "senderId" => name }));
    assert_eq!(kind(session.receive(&named(&"p".repeat(257)))), "long-name");
    let mut session = joined(2);
    assert_eq!(kind(session.receive(&named("p"))), "joined-already");
    let message = Peer::new();
    let mut state = State::new();
    let data = message.copy.generate_sync_message(&mut state).unwrap().encode();
    for unit in ["A1", "A2", "A1"] {
        let asked = session
            .receive(&asking("request", &document_id(id(unit)), &data))
            .unwrap();
        assert!(matches!(asked, Received::Asked(_)));
    }
    let more = session.receive(&asking("request", &document_id(id("A3")), &data));
    assert_eq!(kind(more), "too-many-documents");
    let rubbish = session.receive(&asking("sync", &document_id(id("A1")), b"rubbish"));
    assert_eq!(kind(rubbish), "bad-sync-message");
    assert_eq!(kind(session.receive(b"rubbish")), "malformed-message");
    let presence = frame(cbor!({ "type" => "ephemeral", "documentId" => "x", "data" => Bytes::new(b"x") }));
    assert!(matches!(session.receive(&presence).unwrap(), Received::Nothing));
    assert!(matches!(session.receive(&leave).unwrap(), Received::Leave));
    let farewell = fields(&session.farewell("vì sao"));
    assert_eq!(field(&farewell, "type").as_text(), Some("error"));
    assert_eq!(field(&farewell, "message").as_text(), Some("vì sao"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a peer sends, mutilated messages included: the server goes on and the response stays as it is.
    #[test]
    fn no_frame_stops_the_server_or_changes_anything(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        cuts: bool,
        bloom in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let mut response = Response::new(id("A1")).unwrap();
        answer(&mut response, "fibre_available", "yes");
        let before = response.save();
        let mut session = joined(10);
        let mut peer = Peer::new();
        peer.exchange(&mut session, &mut response);
        let mut heads = vec![0x42, 1];
        heads.extend(response.heads()[0].0);
        let mut message = [&heads[..], &[0, 1, 0, bloom.len() as u8], &bloom, &[0, 2, 2, 0x84]].concat();
        for (place, byte) in places {
            let place = place.index(message.len());
            message[place] = byte;
        }
        if cuts {
            message.truncate(cut.index(message.len()));
        }
        if let Ok(Received::Asked(request)) = session.receive(&asking("sync", &document_id(id("A1")), &message)) {
            let _ = session.answer(request, Some(&mut response));
        }
        let _ = session.receive(&message);
        answer(&mut response, "roof", "tile");
        let _ = session.update(&response);
        prop_assert_ne!(&response.save(), &before);
        prop_assert_eq!(response.changes().len(), 2);
    }
}
