//! A change is taken only in the one form in which Automerge writes it: a document keeps no bytes of its changes, so that
//! another form would have another hash when they are written anew.

use automerge::ActorId;
use sync_core::exchange::{Limits, RefusalReason, admit};
use sync_core::response::{Response, genesis};
use sync_core::{Change, ChangeHash};

use crate::forgery::{UNIT, answer, change_chunk_naming, device, request_of_bytes, response_id};

/// The columns of a change of one operation that sets `note` in the map of answers to null and replaces two others.
struct Columns {
    map_actor: u8,
    action: Vec<u8>,
    replaced_count: Vec<u8>,
    replaced_actors: Vec<u8>,
    replaced_counters: Vec<u8>,
}

impl Columns {
    /// The map's actor and those of the two replaced operations, which have the counter 4, by their places.
    fn of(map_actor: u8, replaced: [u8; 2]) -> Self {
        // One literal is −1, two are −2, as a signed LEB128.
        Self {
            map_actor,
            action: vec![0x7f, 1],
            replaced_count: vec![0x7f, 2],
            replaced_actors: vec![0x7e, replaced[0], replaced[1]],
            replaced_counters: vec![0x7e, 4, 0],
        }
    }

    fn verdict(self, others: &[ActorId]) -> Result<ChangeHash, RefusalReason> {
        let key = device(1);
        let columns = [
            (0x01, vec![0x7f, self.map_actor]),
            (0x02, vec![0x7f, 1]),
            (0x15, [&[0x7f, 4][..], b"note"].concat()),
            (0x34, vec![1]),
            (0x42, self.action),
            (0x56, vec![0x7f, 0]),
            (0x70, self.replaced_count),
            (0x71, self.replaced_actors),
            (0x73, self.replaced_counters),
        ];
        let (bytes, hash) = change_chunk_naming(&key, 5, others, &columns);
        let verdicts = admit(&request_of_bytes(&key, vec![bytes], &[hash]), &Limits::default()).unwrap();
        let verdict = verdicts.into_iter().next().unwrap();
        verdict.map(|admitted| {
            assert_eq!(admitted.change.hash(), hash);
            hash
        })
    }
}

/// The genesis's actor and those of two other devices, ascending, and the place of each in the change.
fn named() -> (Vec<ActorId>, u8, [u8; 2]) {
    let writers = [device(2).actor(), device(3).actor()];
    let genesis = genesis::actor(response_id());
    let mut others = vec![genesis.clone(), writers[0].clone(), writers[1].clone()];
    others.sort();
    let place = |actor: &ActorId| 1 + others.iter().position(|other| other == actor).unwrap() as u8;
    let mut replaced = [place(&writers[0]), place(&writers[1])];
    replaced.sort_unstable();
    let map = place(&genesis);
    (others, map, replaced)
}

#[test]
fn the_form_that_automerge_writes_is_taken() {
    let (others, map, replaced) = named();
    let hash = Columns::of(map, replaced).verdict(&others).unwrap();

    // Automerge itself writes these very bytes, but for the dependencies, which admission does not look at.
    let mut document = Response::new(response_id()).unwrap();
    let changes = [2, 3].map(|number| answer(&device(number), UNIT, "x"));
    let heads: Vec<ChangeHash> = changes.iter().map(Change::hash).collect();
    document.apply(changes).unwrap();
    let cleared = document.edit(&device(1).actor(), 0, |edit| {
        use survey_forms::answers::{AnswerPath, AnswersMut as _};
        edit.clear_answer(&AnswerPath::top("note"))
    });
    let mut written = cleared.unwrap().1.unwrap().decode();
    assert_eq!(written.deps.len(), heads.len());
    written.deps = vec![genesis::hash(response_id()).unwrap()];
    written.hash = None;
    assert_eq!(Change::from(written).hash(), hash);
}

#[test]
fn every_other_form_is_refused() {
    let (others, map, [first, second]) = named();
    let right = || Columns::of(map, [first, second]);
    let refused = |what: &str, columns: Columns, others: &[ActorId]| {
        assert_eq!(columns.verdict(others), Err(RefusalReason::Malformed), "{what}");
    };

    // The same actors at other places, and everything that names them.
    let reversed: Vec<ActorId> = others.iter().rev().cloned().collect();
    refused(
        "other actors descending",
        Columns::of(4 - map, [4 - first, 4 - second]),
        &reversed,
    );
    refused(
        "replaced operations descending",
        Columns::of(map, [second, first]),
        &others,
    );
    refused("an operation replaced twice", Columns::of(map, [first, first]), &others);
    let mut more = others.clone();
    more.push(ActorId::from([0xff; 16].as_slice()));
    refused("an actor that nothing names", right(), &more);
    refused(
        "a run of one",
        Columns {
            action: vec![1, 1],
            ..right()
        },
        &others,
    );
    refused(
        "a number in more bytes than it needs",
        Columns {
            replaced_count: vec![0x7f, 0x82, 0],
            ..right()
        },
        &others,
    );
    refused(
        "different neighbours in two runs",
        Columns {
            replaced_actors: vec![0x7f, first, 0x7f, second],
            ..right()
        },
        &others,
    );
}
