//! Restores changes from their columns.

use automerge::ChangeHash;
use serde_bytes::ByteBuf;
use uuid::Uuid;

use super::PackingError;
use super::operations::{self, Operation, OperationId, Value};
use super::section::Section;
use super::shape::{MAKE_MAP, Maps, Shape, genesis_actor, object, weight};
use crate::exchange::chunk::{self, ChangeFields, HASH_BYTES, Malformed, Reader};
use crate::exchange::extent::OPERATIONS;
use crate::exchange::message::ResponseChanges;
use crate::exchange::wire::Limits;
use crate::identity::{ResponseId, RoundId};
use crate::response::genesis;

/// The changes in their packed form.
///
/// Time and memory are bounded by the limits and grow in proportion to what is read and restored.
///
/// # Errors
/// [`PackingError`] where the bytes are no packed form or restore more than the limits allow.
pub fn unpack(packed: &[u8], limits: &Limits) -> Result<Vec<ResponseChanges>, PackingError> {
    let mut source = Source {
        rest: Reader(packed),
        length: packed.len(),
        section: Section::Rounds,
        limits,
    };
    let rounds = source.number()?;
    let groups = source.number()?;
    let actors = source.number()?;
    let groups = read_groups(&mut source, rounds, groups)?;
    let total = groups.iter().map(|group| group.changes).sum();
    let changes = Changes::read(&mut source, actors, total)?;
    changes.restore(groups, limits)
}

/// The packed form from which columns are read one after the other.
struct Source<'a> {
    rest: Reader<'a>,
    length: usize,
    section: Section,
    limits: &'a Limits,
}

impl<'a> Source<'a> {
    fn malformed(&self, problem: &'static str) -> PackingError {
        PackingError::Malformed {
            section: self.section,
            byte: self.length - self.rest.0.len(),
            problem,
        }
    }

    fn number(&mut self) -> Result<u64, PackingError> {
        self.rest
            .unsigned()
            .map_err(|Malformed| self.malformed("a number of at most 64 bits is needed here"))
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8], PackingError> {
        self.rest
            .take(length)
            .map_err(|Malformed| self.malformed("more bytes are told than there are"))
    }

    /// A column of so many numbers, none of which is over `most`.
    fn column(&mut self, section: Section, count: usize, most: u64) -> Result<Column, PackingError> {
        self.section = section;
        if count > self.limits.operations {
            return Err(PackingError::TooMany {
                what: section,
                limit: self.limits.operations,
            });
        }
        if count > self.rest.0.len() {
            return Err(self.malformed("the column is cut short"));
        }
        let mut numbers = Vec::with_capacity(count);
        for _ in 0..count {
            let number = self.number()?;
            if number > most {
                return Err(self.malformed("the number is larger than what it counts allows"));
            }
            numbers.push(number);
        }
        Ok(Column(numbers.into_iter()))
    }

    /// So many texts of these lengths.
    fn texts(&mut self, section: Section, lengths: &Column) -> Result<Vec<&'a [u8]>, PackingError> {
        self.section = section;
        lengths.0.as_slice().iter().map(|length| self.bytes(*length)).collect()
    }
}

/// A column of numbers, which are used one by one. Its length follows from other columns, so that it never ends early.
struct Column(std::vec::IntoIter<u64>);

impl Column {
    fn next(&mut self) -> u64 {
        self.0.next().unwrap_or_default()
    }

    fn next_signed(&mut self) -> i64 {
        let number = self.next();
        (number >> 1) as i64 ^ -((number & 1) as i64)
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    /// The sum of all numbers.
    fn sum(&self) -> usize {
        let sum = self
            .0
            .as_slice()
            .iter()
            .fold(0, |sum: u64, number| sum.saturating_add(*number));
        usize::try_from(sum).unwrap_or(usize::MAX)
    }

    /// How many of the numbers are this one.
    fn occurrences(&self, wanted: u64) -> usize {
        self.0.as_slice().iter().filter(|number| **number == wanted).count()
    }
}

/// A response of which there are changes.
struct Group {
    round: RoundId,
    unit: String,
    changes: usize,
}

fn read_groups(source: &mut Source<'_>, rounds: u64, groups: u64) -> Result<Vec<Group>, PackingError> {
    let limits = source.limits;
    let within = |number: u64, what| match usize::try_from(number) {
        Ok(number) if number <= limits.changes => Ok(number),
        _ => Err(PackingError::TooMany {
            what,
            limit: limits.changes,
        }),
    };
    let rounds_bytes = source.bytes(within(rounds, Section::Rounds)? as u64 * 16)?;
    let rounds: Vec<RoundId> = rounds_bytes
        .chunks(16)
        .filter_map(|bytes| Uuid::from_slice(bytes).ok())
        .map(RoundId)
        .collect();
    let count = within(groups, Section::GroupRounds)?;
    let mut group_rounds = source.column(Section::GroupRounds, count, u64::MAX)?;
    let mut shared = source.column(Section::SharedUnits, count, u64::MAX)?;
    let lengths = source.column(Section::UnitLengths, count, u64::MAX)?;
    let mut changes = source.column(Section::ChangeCounts, count, u64::MAX)?;
    within(changes.sum() as u64, Section::ChangeCounts)?;
    let suffixes = source.texts(Section::Units, &lengths)?;

    let mut read = Vec::with_capacity(count);
    let mut unit: Vec<u8> = Vec::new();
    let mut bytes = 0usize;
    for suffix in suffixes {
        let shared = usize::try_from(shared.next()).unwrap_or(usize::MAX);
        if shared > unit.len() {
            return Err(source.malformed("a unit's code shares more than the one before has"));
        }
        unit.truncate(shared);
        unit.extend_from_slice(suffix);
        bytes = bytes.saturating_add(unit.len());
        if bytes > limits.inflated_bytes {
            return Err(PackingError::TooLarge {
                limit: limits.inflated_bytes,
            });
        }
        let round = usize::try_from(group_rounds.next())
            .ok()
            .and_then(|place| rounds.get(place));
        let (Some(round), Ok(unit)) = (round, String::from_utf8(unit.clone())) else {
            return Err(source.malformed("a group's round is listed and its unit is UTF-8"));
        };
        read.push(Group {
            round: *round,
            unit,
            changes: changes.next() as usize,
        });
    }
    Ok(read)
}

/// All columns of the changes.
struct Changes<'a> {
    forms: Column,
    raw: std::vec::IntoIter<&'a [u8]>,
    actors: Vec<&'a [u8]>,
    authors: Column,
    sequences: Column,
    starts: Column,
    times: Column,
    /// The time of the last change in columns.
    time: i64,
    dependency_counts: Column,
    dependencies: Column,
    hashes: std::slice::Chunks<'a, u8>,
    other_counts: Column,
    others: Column,
    operation_counts: Column,
    /// The shape of each operation.
    operations: std::vec::IntoIter<u32>,
    shapes: Vec<Shape<'a>>,
    map_steps: Column,
    map_actors: Column,
    map_counters: Column,
    predecessor_actors: Column,
    predecessor_counters: Column,
    /// The values of each shape's operations.
    values: Vec<std::vec::IntoIter<Value<'a>>>,
}

impl<'a> Changes<'a> {
    fn read(source: &mut Source<'a>, actors: u64, total: usize) -> Result<Self, PackingError> {
        use Section as S;
        let any = u64::MAX;
        let actors = usize::try_from(actors).unwrap_or(usize::MAX);
        let lengths = source.column(S::ActorLengths, actors, any)?;
        let actors = source.texts(S::Actors, &lengths)?;
        let forms = source.column(S::Forms, total, 1)?;
        let packed = forms.occurrences(1);
        let raw_lengths = source.column(S::RawLengths, total - packed, any)?;
        let last_actor = (actors.len() as u64).checked_sub(1);
        let authors = source.column(S::Authors, packed, last_actor.unwrap_or_default())?;
        if last_actor.is_none() && packed > 0 {
            return Err(source.malformed("a change has an author"));
        }
        let sequences = source.column(S::Sequences, packed, any)?;
        let starts = source.column(S::Starts, packed, any)?;
        let times = source.column(S::Times, packed, any)?;
        let dependency_counts = source.column(S::DependencyCounts, packed, any)?;
        let dependencies = source.column(S::Dependencies, dependency_counts.sum(), any)?;
        source.section = S::Hashes;
        let hashes = source.bytes(dependencies.occurrences(1) as u64 * HASH_BYTES)?;
        let other_counts = source.column(S::OtherCounts, packed, any)?;
        let others = source.column(S::Others, other_counts.sum(), actors.len() as u64)?;
        let operation_counts = source.column(S::OperationCounts, packed, OPERATIONS)?;
        let steps = source.column(S::Steps, operation_counts.sum(), any)?;
        let jumps = source.column(S::Jumps, steps.occurrences(0), any)?;
        let (operations, shapes) = read_steps(source, &operation_counts, steps, jumps)?;
        let shapes = read_shapes(source, shapes)?;

        let mut uses = vec![0; shapes.len()];
        let (mut made_here, mut other, mut predecessors) = (0, 0, 0usize);
        for number in &operations {
            if let (Some(shape), Some(uses)) = (shapes.get(*number as usize), uses.get_mut(*number as usize)) {
                *uses += 1;
                made_here += usize::from(shape.object == object::MADE_HERE);
                other += usize::from(shape.object == object::OTHER);
                predecessors = predecessors.saturating_add(shape.predecessors as usize);
            }
        }
        let map_steps = source.column(S::MapSteps, made_here, any)?;
        let map_actors = source.column(S::MapActors, other, any)?;
        let map_counters = source.column(S::MapCounters, other, any)?;
        let predecessor_actors = source.column(S::PredecessorActors, predecessors, any)?;
        let predecessor_counters = source.column(S::PredecessorCounters, predecessors, any)?;
        let raw = source.texts(S::Raw, &raw_lengths)?.into_iter();
        let values = uses.into_iter().map(|uses| read_values(source, uses));
        let values = values.collect::<Result<_, _>>()?;
        if !source.rest.0.is_empty() {
            return Err(source.malformed("bytes follow the last column"));
        }
        Ok(Self {
            forms,
            raw,
            actors,
            authors,
            sequences,
            starts,
            times,
            time: 0,
            dependency_counts,
            dependencies,
            hashes: hashes.chunks(HASH_BYTES as usize),
            other_counts,
            others,
            operation_counts,
            operations: operations.into_iter(),
            shapes,
            map_steps,
            map_actors,
            map_counters,
            predecessor_actors,
            predecessor_counters,
            values,
        })
    }

    fn restore(mut self, groups: Vec<Group>, limits: &Limits) -> Result<Vec<ResponseChanges>, PackingError> {
        let mut hashes: Vec<Option<ChangeHash>> = Vec::new();
        let mut bytes = 0usize;
        let mut restored = Vec::with_capacity(groups.len());
        for group in groups {
            let response = ResponseId::of(group.round, &group.unit);
            let mut genesis = None;
            let mut changes = Vec::with_capacity(group.changes);
            for _ in 0..group.changes {
                let (change, hash) = if self.forms.next() == 0 {
                    let raw = self.raw.next().unwrap_or_default();
                    (raw.to_vec(), chunk::hash(raw).ok())
                } else {
                    let (change, hash) = self.change(response, &mut genesis, &hashes, limits)?;
                    (change, Some(hash))
                };
                bytes = bytes.saturating_add(change.len());
                if bytes > limits.inflated_bytes {
                    return Err(PackingError::TooLarge {
                        limit: limits.inflated_bytes,
                    });
                }
                hashes.push(hash);
                changes.push(ByteBuf::from(change));
            }
            restored.push(ResponseChanges {
                round: group.round,
                unit: group.unit,
                changes,
            });
        }
        Ok(restored)
    }

    /// The next change in columns, and its hash.
    fn change(
        &mut self,
        response: ResponseId,
        genesis: &mut Option<ChangeHash>,
        hashes: &[Option<ChangeHash>],
        limits: &Limits,
    ) -> Result<(Vec<u8>, ChangeHash), PackingError> {
        let number = hashes.len();
        let wrong = |problem| PackingError::Impossible {
            change: number,
            problem,
        };
        let too_large = PackingError::ChangeTooLarge {
            change: number,
            limit: limits.change_bytes,
        };
        let author = usize::try_from(self.authors.next())
            .ok()
            .and_then(|place| self.actors.get(place));
        let author = *author.ok_or_else(|| wrong("its author is not listed"))?;
        let (sequence, start) = (self.sequences.next(), self.starts.next());
        let time = self.times.next_signed();

        let mut dependencies = Vec::new();
        let count = self.dependency_counts.next();
        if count.saturating_mul(HASH_BYTES) > limits.change_bytes as u64 {
            return Err(too_large);
        }
        for _ in 0..count {
            match self.dependencies.next() {
                0 => {
                    let hash = match *genesis {
                        Some(hash) => hash,
                        None => genesis::hash(response).map_err(|_| wrong("its response has no genesis"))?,
                    };
                    *genesis = Some(hash);
                    dependencies.extend_from_slice(&hash.0);
                }
                1 => dependencies.extend_from_slice(self.hashes.next().unwrap_or_default()),
                back => {
                    let place = usize::try_from(back - 1).ok().and_then(|back| number.checked_sub(back));
                    let hash = place.and_then(|place| hashes.get(place).copied().flatten());
                    let hash = hash.ok_or_else(|| wrong("it depends on a change that is not before it"))?;
                    dependencies.extend_from_slice(&hash.0);
                }
            }
        }

        let genesis_actor = genesis_actor(response);
        let mut others: Vec<&[u8]> = Vec::new();
        for _ in 0..self.other_counts.next() {
            let other = match self.others.next() {
                0 => Some(genesis_actor.to_bytes()),
                place => self.actors.get(place as usize - 1).copied(),
            };
            others.push(other.ok_or_else(|| wrong("an actor is not listed"))?);
        }
        let mut maps = Maps::new(start, &others, &genesis_actor);
        let mut operations = Vec::new();
        let mut predecessors_left = OPERATIONS;
        for place in 0..self.operation_counts.next() as usize {
            let operation = self.operation(&mut maps, place, &mut predecessors_left);
            operations.push(operation.ok_or_else(|| wrong("an operation names a map or value that is not there"))?);
        }
        if weight(&dependencies, &others, &operations) > limits.change_bytes {
            return Err(too_large);
        }
        let fields = ChangeFields {
            dependencies: &dependencies,
            author,
            sequence,
            start,
            time: self.time.wrapping_add(time),
            message: &[],
            others,
            columns: Vec::new(),
            extra: &[],
        };
        self.time = fields.time;
        Ok(chunk::container(&operations::write(&fields, &operations)))
    }

    fn operation(&mut self, maps: &mut Maps, place: usize, predecessors_left: &mut u64) -> Option<Operation<'a>> {
        let number = self.operations.next()? as usize;
        let shape = *self.shapes.get(number)?;
        let object = match shape.object {
            object::ROOT => None,
            object::MADE_HERE => Some(maps.made_here(self.map_steps.next_signed())?),
            object::OTHER => Some(OperationId {
                actor: self.map_actors.next(),
                counter: self.map_counters.next(),
            }),
            counter => Some(maps.of_genesis(counter)?),
        };
        *predecessors_left = predecessors_left.checked_sub(shape.predecessors)?;
        let predecessors = (0..shape.predecessors)
            .map(|_| OperationId {
                actor: self.predecessor_actors.next(),
                counter: self.predecessor_counters.next(),
            })
            .collect();
        let value = self.values.get_mut(number)?.next()?;
        let (key, value) = match shape.action {
            MAKE_MAP if value.is_text() => (value.bytes, Value { meta: 0, bytes: &[] }),
            MAKE_MAP => return None,
            _ => (shape.key, value),
        };
        maps.pass(place, shape.action)?;
        Some(Operation {
            object,
            key,
            action: shape.action,
            value,
            predecessors,
        })
    }
}

/// The shape of each operation, and how many shapes there are.
fn read_steps(
    source: &Source<'_>,
    operation_counts: &Column,
    mut steps: Column,
    mut jumps: Column,
) -> Result<(Vec<u32>, usize), PackingError> {
    let mut operations = Vec::with_capacity(steps.count());
    // At 0 what the first operation of a change may be, then what may follow each shape.
    let mut following: Vec<Vec<u32>> = vec![Vec::new()];
    for count in operation_counts.0.as_slice() {
        let mut before = 0;
        for _ in 0..*count {
            let shapes = following.len() - 1;
            let shape = match steps.next() {
                0 => {
                    let shape = jumps.next();
                    if shape > shapes as u64 {
                        return Err(source.malformed("a shape is numbered before an earlier one"));
                    }
                    if shape == shapes as u64 {
                        following.push(Vec::new());
                    }
                    let shape = shape as u32;
                    if let Some(following) = following.get_mut(before) {
                        following.push(shape);
                    }
                    shape
                }
                place => {
                    let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
                    let shape = following.get(before).and_then(|following| following.get(place));
                    *shape.ok_or_else(|| source.malformed("an operation takes a step that was not made before"))?
                }
            };
            operations.push(shape);
            before = shape as usize + 1;
        }
    }
    Ok((operations, following.len() - 1))
}

fn read_shapes<'a>(source: &mut Source<'a>, count: usize) -> Result<Vec<Shape<'a>>, PackingError> {
    let mut maps = source.column(Section::ShapeMaps, count, object::OTHER)?;
    let mut actions = source.column(Section::ShapeActions, count, u64::MAX)?;
    let mut predecessors = source.column(Section::ShapePredecessors, count, OPERATIONS)?;
    let lengths = source.column(Section::ShapeKeyLengths, count, u64::MAX)?;
    let keys = source.texts(Section::ShapeKeys, &lengths)?.into_iter();
    Ok(keys
        .map(|key| Shape {
            object: maps.next(),
            action: actions.next(),
            predecessors: predecessors.next(),
            key,
        })
        .collect())
}

/// The values of so many operations of one shape.
fn read_values<'a>(source: &mut Source<'a>, count: usize) -> Result<std::vec::IntoIter<Value<'a>>, PackingError> {
    let codes = source.column(Section::Values, count, count as u64)?;
    let metas = source.column(Section::Values, codes.occurrences(0), u64::MAX)?;
    let mut different = Vec::with_capacity(metas.count());
    for meta in metas.0 {
        let bytes = source.bytes(Value::length(meta))?;
        different.push(Value { meta, bytes });
    }
    let mut seen = 0;
    let mut values = Vec::with_capacity(count);
    for code in codes.0 {
        let place = if code == 0 {
            seen += 1;
            seen - 1
        } else {
            code as usize - 1
        };
        let value = different.get(place).filter(|_| place < seen);
        values.push(*value.ok_or_else(|| source.malformed("a value is referred to before it comes"))?);
    }
    Ok(values.into_iter())
}
