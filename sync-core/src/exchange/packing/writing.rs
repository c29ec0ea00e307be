//! Writes changes column by column.

use std::collections::HashMap;

use automerge::ChangeHash;

use super::Form;
use super::operations::{self, Operation, Value};
use super::section::{SECTIONS, Section};
use super::shape::{MAKE_MAP, Maps, PACKED_BYTES, PACKED_OPERATIONS, Shape, genesis_actor, object, told_value, weight};
use crate::exchange::chunk::{self, ChangeFields, HASH_BYTES, write_unsigned};
use crate::exchange::extent;
use crate::exchange::message::ResponseChanges;
use crate::identity::{ResponseId, RoundId};
use crate::response::genesis;

/// The packed form of changes, from which [`unpack`](super::unpack) restores every byte. Its layout is in
/// `docs/protocol-packing.md`.
pub fn pack(groups: &[ResponseChanges], form: Form) -> Vec<u8> {
    let mut writer = Writer {
        form,
        ..Writer::default()
    };
    for group in groups {
        writer.group(group);
    }
    writer.finish()
}

/// Numbers things in the order in which they first come.
struct Numbering<T>(HashMap<T, u64>);

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: std::hash::Hash + Eq> Numbering<T> {
    /// The number of a thing, and whether it is new.
    fn number(&mut self, thing: T) -> (u64, bool) {
        let next = self.0.len() as u64;
        let number = *self.0.entry(thing).or_insert(next);
        (number, number == next)
    }
}

struct Writer<'a> {
    form: Form,
    sections: [Vec<u8>; SECTIONS],
    rounds: Numbering<RoundId>,
    groups: u64,
    unit: &'a [u8],
    actors: Numbering<Vec<u8>>,
    /// The number of each change in the message.
    changes: HashMap<ChangeHash, u64>,
    change: u64,
    time: i64,
    shapes: Numbering<Shape<'a>>,
    /// The shapes that followed each shape, and the first of a change at none.
    following: HashMap<Option<u64>, Numbering<u64>>,
    columns: Vec<Column<'a>>,
    operations: usize,
}

impl Default for Writer<'_> {
    fn default() -> Self {
        Self {
            form: Form::default(),
            sections: std::array::from_fn(|_| Vec::new()),
            rounds: Numbering::default(),
            groups: 0,
            unit: &[],
            actors: Numbering::default(),
            changes: HashMap::new(),
            change: 0,
            time: 0,
            shapes: Numbering::default(),
            following: HashMap::new(),
            columns: Vec::new(),
            operations: 0,
        }
    }
}

/// The values of one shape.
#[derive(Default)]
struct Column<'a> {
    values: Numbering<Value<'a>>,
    codes: Vec<u8>,
    metas: Vec<u8>,
    bytes: Vec<u8>,
}

impl<'a> Writer<'a> {
    fn put(&mut self, section: Section, number: u64) {
        write_unsigned(number, self.section(section));
    }

    fn put_signed(&mut self, section: Section, number: i64) {
        self.put(section, (number << 1 ^ number >> 63) as u64);
    }

    fn section(&mut self, section: Section) -> &mut Vec<u8> {
        &mut self.sections[section as usize]
    }

    fn group(&mut self, group: &'a ResponseChanges) {
        self.groups += 1;
        let (round, new) = self.rounds.number(group.round);
        if new {
            self.section(Section::Rounds)
                .extend_from_slice(group.round.0.as_bytes());
        }
        self.put(Section::GroupRounds, round);
        let unit = group.unit.as_bytes();
        let shared = unit
            .iter()
            .zip(self.unit)
            .take_while(|(one, other)| one == other)
            .count();
        self.unit = unit;
        let (_, suffix) = unit.split_at(shared);
        self.put(Section::SharedUnits, shared as u64);
        self.put(Section::UnitLengths, suffix.len() as u64);
        self.section(Section::Units).extend_from_slice(suffix);
        self.put(Section::ChangeCounts, group.changes.len() as u64);

        let response = ResponseId::of(group.round, &group.unit);
        let genesis = genesis::hash(response).ok();
        for bytes in &group.changes {
            let told = match self.form {
                Form::Packed => readable(bytes),
                Form::Plain => None,
            };
            match told {
                Some((fields, operations)) if self.operations + operations.len() <= PACKED_OPERATIONS => {
                    self.put(Section::Forms, 1);
                    self.fields(&fields, genesis, response);
                    self.operations(&fields, &operations, response);
                }
                _ => {
                    self.put(Section::Forms, 0);
                    self.put(Section::RawLengths, bytes.len() as u64);
                    self.section(Section::Raw).extend_from_slice(bytes);
                }
            }
            if let Ok(hash) = chunk::hash(bytes) {
                self.changes.insert(hash, self.change);
            }
            self.change += 1;
        }
    }

    fn fields(&mut self, fields: &ChangeFields<'_>, genesis: Option<ChangeHash>, response: ResponseId) {
        let author = self.actor(fields.author);
        self.put(Section::Authors, author);
        self.put(Section::Sequences, fields.sequence);
        self.put(Section::Starts, fields.start);
        let difference = fields.time.wrapping_sub(self.time);
        self.time = fields.time;
        self.put_signed(Section::Times, difference);

        let dependencies = fields.dependencies.chunks(HASH_BYTES as usize);
        self.put(Section::DependencyCounts, dependencies.len() as u64);
        for dependency in dependencies {
            let hash = ChangeHash(dependency.try_into().unwrap_or_default());
            let reference = if Some(hash) == genesis {
                0
            } else if let Some(earlier) = self.changes.get(&hash) {
                1 + self.change - earlier
            } else {
                self.section(Section::Hashes).extend_from_slice(dependency);
                1
            };
            self.put(Section::Dependencies, reference);
        }

        let genesis = genesis_actor(response);
        self.put(Section::OtherCounts, fields.others.len() as u64);
        for other in &fields.others {
            let reference = if *other == genesis.to_bytes() {
                0
            } else {
                1 + self.actor(other)
            };
            self.put(Section::Others, reference);
        }
    }

    fn actor(&mut self, actor: &[u8]) -> u64 {
        let (number, new) = self.actors.number(actor.to_vec());
        if new {
            self.put(Section::ActorLengths, actor.len() as u64);
            self.section(Section::Actors).extend_from_slice(actor);
        }
        number
    }

    fn operations(&mut self, fields: &ChangeFields<'a>, operations: &[Operation<'a>], response: ResponseId) {
        self.operations += operations.len();
        self.put(Section::OperationCounts, operations.len() as u64);
        let mut maps = Maps::new(fields.start, &fields.others, &genesis_actor(response));
        let mut before = None;
        for (place, operation) in operations.iter().enumerate() {
            let (map, step) = maps.tell(operation.object);
            let shape = Shape {
                object: map,
                action: operation.action,
                predecessors: operation.predecessors.len() as u64,
                key: if operation.action == MAKE_MAP {
                    &[]
                } else {
                    operation.key
                },
            };
            let number = self.step(before, shape);
            before = Some(number);
            match (map, operation.object) {
                (object::MADE_HERE, _) => self.put_signed(Section::MapSteps, step),
                (object::OTHER, Some(map)) => {
                    self.put(Section::MapActors, map.actor);
                    self.put(Section::MapCounters, map.counter);
                }
                _ => {}
            }
            for predecessor in &operation.predecessors {
                self.put(Section::PredecessorActors, predecessor.actor);
                self.put(Section::PredecessorCounters, predecessor.counter);
            }
            self.value(number as usize, told_value(operation));
            // The counter was checked when the change was found readable.
            let _ = maps.pass(place, operation.action);
        }
    }

    /// Tells the shape that comes after another, and gives its number.
    fn step(&mut self, before: Option<u64>, shape: Shape<'a>) -> u64 {
        let (number, new) = self.shapes.number(shape);
        if new {
            self.columns.push(Column::default());
            self.put(Section::ShapeMaps, shape.object);
            self.put(Section::ShapeActions, shape.action);
            self.put(Section::ShapePredecessors, shape.predecessors);
            self.put(Section::ShapeKeyLengths, shape.key.len() as u64);
            self.section(Section::ShapeKeys).extend_from_slice(shape.key);
        }
        let (place, first) = self.following.entry(before).or_default().number(number);
        if first {
            self.put(Section::Steps, 0);
            self.put(Section::Jumps, number);
        } else {
            self.put(Section::Steps, 1 + place);
        }
        number
    }

    fn value(&mut self, shape: usize, value: Value<'a>) {
        let Some(column) = self.columns.get_mut(shape) else {
            return;
        };
        let (place, new) = column.values.number(value);
        if new {
            column.codes.push(0);
            write_unsigned(value.meta, &mut column.metas);
            column.bytes.extend_from_slice(value.bytes);
        } else {
            write_unsigned(1 + place, &mut column.codes);
        }
    }

    fn finish(self) -> Vec<u8> {
        let mut packed = Vec::new();
        write_unsigned(self.rounds.0.len() as u64, &mut packed);
        write_unsigned(self.groups, &mut packed);
        write_unsigned(self.actors.0.len() as u64, &mut packed);
        for section in self.sections {
            packed.extend_from_slice(&section);
        }
        for column in self.columns {
            packed.extend_from_slice(&column.codes);
            packed.extend_from_slice(&column.metas);
            packed.extend_from_slice(&column.bytes);
        }
        packed
    }
}

/// A change's fields and operations, where they tell all of it: written again they give the same bytes.
fn readable(bytes: &[u8]) -> Option<(ChangeFields<'_>, Vec<Operation<'_>>)> {
    if bytes.len() > PACKED_BYTES {
        return None;
    }
    chunk::hash(bytes).ok()?;
    extent::check(bytes).ok()?;
    let fields = ChangeFields::read(bytes).ok()?;
    if !fields.message.is_empty() || !fields.extra.is_empty() {
        return None;
    }
    let operations = operations::read(&fields)?;
    fields.start.checked_add(operations.len() as u64)?;
    let tellable = |operation: &Operation<'_>| operation.action != MAKE_MAP || operation.value.meta == 0;
    if !operations.iter().all(tellable)
        || weight(fields.dependencies, &fields.others, &operations) > PACKED_BYTES
        || chunk::container(&operations::write(&fields, &operations)).0 != bytes
    {
        return None;
    }
    Some((fields, operations))
}
