//! The operations of a change, from the columns of its chunk and back into exactly those columns.
//!
//! Source: Automerge binary document format, sections "run length encoding", "delta encoding", "boolean columns" and
//! "operation columns".

use crate::exchange::chunk::{ChangeFields, HASH_BYTES, Malformed, Reader, column, write_signed, write_unsigned};
use crate::exchange::extent::OPERATIONS;

/// An operation's name: its counter, and its actor by the place in the change's list: 0 is the author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OperationId {
    pub(super) counter: u64,
    pub(super) actor: u64,
}

/// One operation on a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation<'a> {
    /// The map; none for the root.
    pub(super) object: Option<OperationId>,
    pub(super) key: &'a [u8],
    pub(super) action: u64,
    pub(super) value: Value<'a>,
    pub(super) predecessors: Vec<OperationId>,
}

/// A value as its column holds it: the type in the four low bits of `meta`, the length of `bytes` in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Value<'a> {
    pub(super) meta: u64,
    pub(super) bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// Bits of `meta` below the length.
    const TYPE_BITS: u32 = 4;
    const TEXT: u64 = 6;

    /// A text.
    pub(super) fn text(bytes: &'a [u8]) -> Self {
        let meta = (bytes.len() as u64) << Self::TYPE_BITS | Self::TEXT;
        Self { meta, bytes }
    }

    pub(super) fn is_text(self) -> bool {
        self.meta == Self::text(self.bytes).meta
    }

    pub(super) fn length(meta: u64) -> u64 {
        meta >> Self::TYPE_BITS
    }
}

/// The operations of a change of a response document; none where it holds what no such document has.
///
/// The change's extent must have been checked.
pub(super) fn read<'a>(fields: &ChangeFields<'a>) -> Option<Vec<Operation<'a>>> {
    let mut columns: [Reader<'a>; COLUMNS.len()] = std::array::from_fn(|_| Reader(&[]));
    for (specification, data) in &fields.columns {
        let place = COLUMNS.iter().position(|known| known == specification)?;
        columns.get_mut(place)?.0 = data;
    }
    // Whether nothing is inserted is seen when the columns are written again.
    let [
        object_actor,
        object_counter,
        key,
        _insert,
        action,
        meta,
        mut values,
        counts,
        actors,
        counters,
    ] = columns;
    let mut object_actors = Runs::new(object_actor, Reader::unsigned);
    let mut object_counters = Runs::new(object_counter, Reader::unsigned);
    let mut keys = Runs::new(key, Reader::prefixed);
    let mut actions = Runs::new(action, Reader::unsigned);
    let mut metas = Runs::new(meta, Reader::unsigned);
    let mut predecessor_counts = Runs::new(counts, Reader::unsigned);
    let mut predecessor_actors = Runs::new(actors, Reader::unsigned);
    let mut predecessor_counters = Runs::new(counters, Reader::signed);
    let mut counter = 0i64;
    let mut operations = Vec::new();
    let mut predecessors_left = OPERATIONS;
    while !actions.is_empty() {
        if operations.len() as u64 == OPERATIONS {
            return None;
        }
        let object = match (object_counters.next().ok()?, object_actors.next().ok()?) {
            (None, None) => None,
            (Some(counter), Some(actor)) => Some(OperationId { counter, actor }),
            _ => return None,
        };
        let meta = metas.next().ok()??;
        let bytes = values.take(Value::length(meta)).ok()?;
        let key = keys.next().ok()??;
        let action = actions.next().ok()??;
        let count = predecessor_counts.next().ok()??;
        predecessors_left = predecessors_left.checked_sub(count)?;
        let mut predecessors = Vec::new();
        for _ in 0..count {
            let actor = predecessor_actors.next().ok()??;
            counter = counter.checked_add(predecessor_counters.next().ok()??)?;
            let counter = u64::try_from(counter).ok()?;
            predecessors.push(OperationId { counter, actor });
        }
        operations.push(Operation {
            object,
            key,
            action,
            value: Value { meta, bytes },
            predecessors,
        });
    }
    Some(operations)
}

/// The columns, in the order in which they stand in a chunk.
const COLUMNS: [u64; 10] = [
    column::OBJECT_ACTOR,
    column::OBJECT_COUNTER,
    column::KEY_TEXT,
    column::INSERT,
    column::ACTION,
    column::VALUE_META,
    column::VALUE,
    column::PREDECESSOR_COUNT,
    column::PREDECESSOR_ACTOR,
    column::PREDECESSOR_COUNTER,
];

/// The contents of a change chunk: its fields, with these operations as columns and nothing after them.
pub(super) fn write(fields: &ChangeFields<'_>, operations: &[Operation<'_>]) -> Vec<u8> {
    let columns = columns(operations);
    let mut contents = Vec::new();
    write_unsigned(fields.dependencies.len() as u64 / HASH_BYTES, &mut contents);
    contents.extend_from_slice(fields.dependencies);
    write_prefixed(fields.author, &mut contents);
    write_unsigned(fields.sequence, &mut contents);
    write_unsigned(fields.start, &mut contents);
    write_signed(fields.time, &mut contents);
    write_prefixed(fields.message, &mut contents);
    write_unsigned(fields.others.len() as u64, &mut contents);
    for other in &fields.others {
        write_prefixed(other, &mut contents);
    }
    let present = COLUMNS.iter().zip(&columns).filter(|(_, data)| !data.is_empty());
    write_unsigned(present.clone().count() as u64, &mut contents);
    for (specification, data) in present.clone() {
        write_unsigned(*specification, &mut contents);
        write_unsigned(data.len() as u64, &mut contents);
    }
    for (_, data) in present {
        contents.extend_from_slice(data);
    }
    contents
}

fn columns(operations: &[Operation<'_>]) -> [Vec<u8>; 10] {
    if operations.is_empty() {
        return Default::default();
    }
    let unsigned = |value: &u64, bytes: &mut Vec<u8>| write_unsigned(*value, bytes);
    let objects = || operations.iter().map(|operation| operation.object);
    let all = |value: fn(&Operation<'_>) -> u64| operations.iter().map(move |operation| Some(value(operation)));
    let predecessors = || operations.iter().flat_map(|operation| &operation.predecessors);
    let mut previous = 0u64;
    let differences = predecessors().map(|id| {
        let difference = id.counter.wrapping_sub(previous) as i64;
        previous = id.counter;
        Some(difference)
    });
    let mut insert = Vec::new();
    write_unsigned(operations.len() as u64, &mut insert);
    let keys = operations.iter().map(|operation| Some(operation.key));
    [
        runs(objects().map(|object| Some(object?.actor)), unsigned),
        runs(objects().map(|object| Some(object?.counter)), unsigned),
        runs(keys, |key, bytes| write_prefixed(key, bytes)),
        insert,
        runs(all(|operation| operation.action), unsigned),
        runs(all(|operation| operation.value.meta), unsigned),
        operations
            .iter()
            .flat_map(|operation| operation.value.bytes)
            .copied()
            .collect(),
        runs(all(|operation| operation.predecessors.len() as u64), unsigned),
        runs(predecessors().map(|id| Some(id.actor)), unsigned),
        runs(differences, |value, bytes| write_signed(*value, bytes)),
    ]
}

fn write_prefixed(text: &[u8], bytes: &mut Vec<u8>) {
    write_unsigned(text.len() as u64, bytes);
    bytes.extend_from_slice(text);
}

/// A run-length encoded column: absent values as 0 and their number, two and more equal values as their number and the
/// value, different ones as their number, negative, and the values. A column without values is empty.
fn runs<T: PartialEq>(values: impl Iterator<Item = Option<T>>, write: impl Fn(&T, &mut Vec<u8>)) -> Vec<u8> {
    let mut runs: Vec<(Option<T>, i64)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            _ => runs.push((value, 1)),
        }
    }
    let mut bytes = Vec::new();
    if let [(None, _)] = runs.as_slice() {
        return bytes;
    }
    let mut rest = runs.as_slice();
    while let Some(((value, count), after)) = rest.split_first() {
        let literals = rest
            .iter()
            .take_while(|(value, count)| value.is_some() && *count == 1)
            .count();
        match value {
            None => {
                write_signed(0, &mut bytes);
                write_unsigned(count.unsigned_abs(), &mut bytes);
                rest = after;
            }
            Some(value) if literals == 0 => {
                write_signed(*count, &mut bytes);
                write(value, &mut bytes);
                rest = after;
            }
            Some(_) => {
                let (single, after) = rest.split_at(literals);
                write_signed(-(literals as i64), &mut bytes);
                single
                    .iter()
                    .filter_map(|(value, _)| value.as_ref())
                    .for_each(|value| write(value, &mut bytes));
                rest = after;
            }
        }
    }
    bytes
}

/// Reads a run-length encoded column value by value; an ended column is absent values without end.
struct Runs<'a, T> {
    column: Reader<'a>,
    read: fn(&mut Reader<'a>) -> Result<T, Malformed>,
    /// How many more values the present run has.
    left: u64,
    /// The value of the present run; without one, its values stand in the column one by one.
    repeated: Option<Option<T>>,
}

impl<'a, T: Copy> Runs<'a, T> {
    fn new(column: Reader<'a>, read: fn(&mut Reader<'a>) -> Result<T, Malformed>) -> Self {
        Self {
            column,
            read,
            left: 0,
            repeated: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.left == 0 && self.column.0.is_empty()
    }

    fn next(&mut self) -> Result<Option<T>, Malformed> {
        if self.is_empty() {
            return Ok(None);
        }
        if self.left == 0 {
            let run = self.column.signed()?;
            (self.left, self.repeated) = match run {
                0 => (self.column.unsigned()?, Some(None)),
                1.. => (run.unsigned_abs(), Some(Some((self.read)(&mut self.column)?))),
                _ => (run.unsigned_abs(), None),
            };
        }
        self.left = self.left.checked_sub(1).ok_or(Malformed)?;
        match self.repeated {
            Some(value) => Ok(value),
            None => (self.read)(&mut self.column).map(Some),
        }
    }
}
