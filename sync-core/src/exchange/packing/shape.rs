//! What operations of many changes have in common.
//!
//! A form is asked in much the same order everywhere, so an operation's *shape* (which map, which key, which action)
//! nearly always follows from the one before it, and the answers to one question resemble one another. Shapes are told
//! by the place among those that followed the shape before; values by the place among the values of the same shape.

use std::collections::HashMap;

use automerge::ActorId;

use super::operations::{Operation, OperationId, Value};
use crate::identity::ResponseId;
use crate::response::genesis;

/// The action that makes a map.
pub(super) const MAKE_MAP: u64 = 0;
/// Bytes of a change that may be packed at most, counted as [`weight`] counts.
pub(super) const PACKED_BYTES: usize = 256 << 10;
/// Operations of a message that may be packed at most.
pub(super) const PACKED_OPERATIONS: usize = 1 << 20;

/// Which map an operation writes into. The numbers are those of the wire.
pub(super) mod object {
    /// The root.
    pub(in crate::exchange::packing) const ROOT: u64 = 0;
    /// The last of the maps that the genesis made; they are numbered by its operations from 1.
    pub(in crate::exchange::packing) const LAST_OF_GENESIS: u64 = 3;
    /// A map that the same change made.
    pub(in crate::exchange::packing) const MADE_HERE: u64 = 4;
    /// Any other map.
    pub(in crate::exchange::packing) const OTHER: u64 = 5;
}

/// What operations may have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape<'a> {
    pub(super) object: u64,
    pub(super) action: u64,
    /// How many operations it replaces.
    pub(super) predecessors: u64,
    /// The key; none for an operation that makes a map, whose key is told as its value.
    pub(super) key: &'a [u8],
}

/// The maps that a change may write into, by what it and the genesis make.
pub(super) struct Maps {
    genesis: Option<u64>,
    start: u64,
    made: Vec<u64>,
    places: HashMap<u64, usize>,
    present: usize,
}

impl Maps {
    /// For a change that starts at this counter and names these other actors.
    pub(super) fn new(start: u64, others: &[&[u8]], genesis: &ActorId) -> Self {
        let genesis = others.iter().position(|other| *other == genesis.to_bytes());
        Self {
            genesis: genesis.map(|place| place as u64 + 1),
            start,
            made: Vec::new(),
            places: HashMap::new(),
            present: 0,
        }
    }

    /// Takes notice of the operation at this place in the change; none where its counter would be no number.
    pub(super) fn pass(&mut self, place: usize, action: u64) -> Option<()> {
        let counter = self.start.checked_add(place as u64)?;
        if action == MAKE_MAP {
            self.places.insert(counter, self.made.len());
            self.made.push(counter);
        }
        Some(())
    }

    /// How a map is told, and how many maps of this change further than the last one told it is.
    pub(super) fn tell(&mut self, map: Option<OperationId>) -> (u64, i64) {
        let Some(map) = map else { return (object::ROOT, 0) };
        if Some(map.actor) == self.genesis && (1..=object::LAST_OF_GENESIS).contains(&map.counter) {
            return (map.counter, 0);
        }
        match self.places.get(&map.counter) {
            Some(place) if map.actor == 0 => {
                let step = *place as i64 - self.present as i64;
                self.present = *place;
                (object::MADE_HERE, step)
            }
            _ => (object::OTHER, 0),
        }
    }

    /// The map of the genesis that the operation of this counter made.
    pub(super) fn of_genesis(&self, counter: u64) -> Option<OperationId> {
        self.genesis.map(|actor| OperationId { counter, actor })
    }

    /// The map of this change so many maps further than the last one.
    pub(super) fn made_here(&mut self, step: i64) -> Option<OperationId> {
        let place = usize::try_from((self.present as i64).checked_add(step)?).ok()?;
        let counter = *self.made.get(place)?;
        self.present = place;
        Some(OperationId { counter, actor: 0 })
    }
}

/// The actor of the genesis of a response.
pub(super) fn genesis_actor(response: ResponseId) -> ActorId {
    genesis::actor(response)
}

/// How large a change may become: the bytes of its hashes, actors, keys and values, and one for each reference to an
/// earlier operation.
pub(super) fn weight(dependencies: &[u8], actors: &[&[u8]], operations: &[Operation<'_>]) -> usize {
    let actors = actors.iter().map(|actor| actor.len());
    let operations = operations
        .iter()
        .map(|operation| operation.key.len() + operation.value.bytes.len() + operation.predecessors.len());
    actors.chain(operations).fold(dependencies.len(), usize::saturating_add)
}

/// The key of an operation that makes a map, as the value as which it is told.
pub(super) fn told_value<'a>(operation: &Operation<'a>) -> Value<'a> {
    if operation.action == MAKE_MAP {
        Value::text(operation.key)
    } else {
        operation.value
    }
}
