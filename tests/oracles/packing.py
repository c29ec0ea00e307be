"""Reads changes in columns, by the section «Packed changes» of docs/protocol-packing.md."""

from change import Change, Operation, Reader, hash_of, write_change
from messages import read_groups
from response import genesis_of, response_of

ROOT, MADE_HERE, OTHER = 0, 4, 5
MAKE_MAP = 0
BEGINNING = None


def unpack(packed):
    """The groups (round, unit, chunks) of a packed form."""
    reader = Reader(packed)
    groups, actors, forms = read_groups(reader)
    raw_lengths = reader.numbers(forms.count(0))
    columns = Columns(reader, actors, forms.count(1))
    raw = iter([reader.take(length) for length in raw_lengths])
    values = [iter(read_values(reader, columns.shape_numbers.count(shape))) for shape in range(len(columns.shapes))]
    if not reader.at_end():
        raise ValueError("bytes follow the last column")
    forms, unpacked, chunks = iter(forms), [], []
    for round, unit, count in groups:
        response = response_of(round, unit)
        for _ in range(count):
            chunks.append(columns.change(response, chunks, values) if next(forms) else next(raw))
        unpacked.append((round, unit, chunks[len(chunks) - count :]))
    return unpacked


def unzigzag(number):
    return -(number + 1) // 2 if number % 2 else number // 2


def read_values(reader, count):
    """What each operation of a shape sets, as `meta` and bytes."""
    codes = reader.numbers(count)
    metas = reader.numbers(codes.count(0))
    different = iter([(meta, reader.take(meta >> 4)) for meta in metas])
    seen, values = [], []
    for code in codes:
        if code == 0:
            seen.append(next(different))
        values.append(seen[code - 1])
    return values


def read_steps(counts, steps, jumps):
    """The shape of each operation by its number."""
    steps, jumps, numbers, following, used = iter(steps), iter(jumps), [], {}, 0
    for count in counts:
        before = BEGINNING
        for _ in range(count):
            followers = following.setdefault(before, [])
            step = next(steps)
            if step == 0:
                followers.append(next(jumps))
                if followers[-1] > used:
                    raise ValueError("a shape is used before the one with the next lower number")
                used = max(used, followers[-1] + 1)
            before = followers[step - 1]
            numbers.append(before)
    return numbers, used


class Columns:
    """The columns from `Authors` to `PredecessorCounters`, which are then used change by change."""

    def __init__(self, reader, actors, packed):
        self.actors = actors
        column = lambda count: iter(reader.numbers(count))
        self.authors, self.sequences, self.starts, times = (column(packed) for _ in range(4))
        self.times, self.time = map(unzigzag, times), 0
        dependency_counts = reader.numbers(packed)
        dependencies = reader.numbers(sum(dependency_counts))
        self.hashes = iter([reader.take(32) for _ in range(dependencies.count(1))])
        self.dependency_counts, self.dependencies = iter(dependency_counts), iter(dependencies)
        other_counts = reader.numbers(packed)
        self.other_counts, self.others = iter(other_counts), column(sum(other_counts))
        operation_counts = reader.numbers(packed)
        steps = reader.numbers(sum(operation_counts))
        self.shape_numbers, shapes = read_steps(operation_counts, steps, reader.numbers(steps.count(0)))
        self.operation_counts, self.numbers = iter(operation_counts), iter(self.shape_numbers)
        maps, actions, predecessors, lengths = (reader.numbers(shapes) for _ in range(4))
        keys = [reader.take(length).decode() for length in lengths]
        self.shapes = list(zip(maps, actions, predecessors, keys))
        of_map = [self.shapes[number][0] for number in self.shape_numbers]
        self.map_steps = map(unzigzag, reader.numbers(of_map.count(MADE_HERE)))
        self.map_actors, self.map_counters = column(of_map.count(OTHER)), column(of_map.count(OTHER))
        replaced = sum(self.shapes[number][2] for number in self.shape_numbers)
        self.predecessor_actors, self.predecessor_counters = column(replaced), column(replaced)

    def change(self, response, chunks, values):
        """The chunk of the next change in columns, which comes after `chunks`."""
        author, sequence, start = self.actors[next(self.authors)], next(self.sequences), next(self.starts)
        self.time += next(self.times)
        dependencies = [self.dependency(response, chunks) for _ in range(next(self.dependency_counts))]
        others = (next(self.others) for _ in range(next(self.other_counts)))
        others = [self.actors[other - 1] if other else response for other in others]
        operations, made, map_number = [], [], 0
        for place in range(next(self.operation_counts)):
            number = next(self.numbers)
            kind, action, count, key = self.shapes[number]
            meta, value = next(values[number])
            within = None
            if kind == MADE_HERE:
                map_number += next(self.map_steps)
                within = (0, made[map_number])
            elif kind == OTHER:
                within = (next(self.map_actors), next(self.map_counters))
            elif kind != ROOT:
                within = (1 + others.index(response), kind)
            if action == MAKE_MAP:
                key, meta, value = value.decode(), 0, b""
                made.append(start + place)
            replaced = [(next(self.predecessor_actors), next(self.predecessor_counters)) for _ in range(count)]
            operations.append(Operation(within, key, action, meta, value, replaced))
        return write_change(Change(dependencies, author, sequence, start, self.time, others, operations))

    def dependency(self, response, chunks):
        code = next(self.dependencies)
        if code == 0:
            return hash_of(genesis_of(response))
        return next(self.hashes) if code == 1 else hash_of(chunks[len(chunks) + 1 - code])
