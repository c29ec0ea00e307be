"""Automerge changes as bytes, by the sections «The chunk» and «Values» of docs/protocol-packing.md."""

import struct
from collections import namedtuple
from hashlib import sha256
from itertools import accumulate, groupby, zip_longest

MAGIC = bytes.fromhex("856f4a83")
MAP_ACTOR, MAP_COUNTER, KEY, INSERT, ACTION, META, VALUE = 0x01, 0x02, 0x15, 0x34, 0x42, 0x56, 0x57
PREDECESSORS, PREDECESSOR_ACTOR, PREDECESSOR_COUNTER = 0x70, 0x71, 0x73

Change = namedtuple("Change", "dependencies author sequence start time others operations")
# `map` and each predecessor are (actor, counter), the actor by its place in the change: 0 its author, n the n-th of the
# others. `map` is None for the root.
Operation = namedtuple("Operation", "map key action meta value predecessors")


def unsigned(number):
    written = b""
    while number > 0x7F:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])


def signed(number):
    written = b""
    while not -0x40 <= number < 0x40:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number & 0x7F])


def prefixed(data):
    return unsigned(len(data)) + data


class Reader:
    """Reads numbers and bytes one after the other."""

    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, length):
        self.place += length
        if self.place > len(self.data):
            raise ValueError("the bytes end too early")
        return self.data[self.place - length : self.place]

    def at_end(self):
        return self.place == len(self.data)

    def unsigned(self):
        number, shift, byte = 0, 0, 0x80
        while byte & 0x80:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
        return number

    def signed(self):
        start = self.place
        number, bits = self.unsigned(), 7 * (self.place - start)
        return number - (1 << bits) if number >> (bits - 1) else number

    def prefixed(self):
        return self.take(self.unsigned())

    def numbers(self, count):
        return [self.unsigned() for _ in range(count)]

    def runs(self, read):
        """The rest as a column in runs, each value read by `read`."""
        values = []
        while not self.at_end():
            count = self.signed()
            if count > 0:
                values += [read(self)] * count
            elif count < 0:
                values += [read(self) for _ in range(-count)]
            else:
                values += [None] * self.unsigned()
        return values


def runs(values, write):
    """A column of values in runs, each value written by `write`."""
    if all(value is None for value in values):
        return b""
    written = b""
    equal = [(value, len(list(run))) for value, run in groupby(values)]
    for different, pieces in groupby(equal, lambda piece: piece[0] is not None and piece[1] == 1):
        pieces = list(pieces)
        if different:
            written += signed(-len(pieces)) + b"".join(write(value) for value, _ in pieces)
        else:
            written += b"".join(
                b"\0" + unsigned(count) if value is None else signed(count) + write(value) for value, count in pieces
            )
    return written


def hash_of(chunk):
    return sha256(chunk[8:]).digest()


def write_change(change):
    """The chunk of a change."""
    operations = change.operations
    predecessors = [predecessor for operation in operations for predecessor in operation.predecessors]
    counters = [counter for _, counter in predecessors]
    columns = {
        MAP_ACTOR: runs([operation.map and operation.map[0] for operation in operations], unsigned),
        MAP_COUNTER: runs([operation.map and operation.map[1] for operation in operations], unsigned),
        KEY: runs([operation.key.encode() for operation in operations], prefixed),
        INSERT: unsigned(len(operations)) if operations else b"",
        ACTION: runs([operation.action for operation in operations], unsigned),
        META: runs([operation.meta for operation in operations], unsigned),
        VALUE: b"".join(operation.value for operation in operations),
        PREDECESSORS: runs([len(operation.predecessors) for operation in operations], unsigned),
        PREDECESSOR_ACTOR: runs([actor for actor, _ in predecessors], unsigned),
        PREDECESSOR_COUNTER: runs([after - before for before, after in zip([0, *counters], counters)], signed),
    }
    columns = {specification: data for specification, data in columns.items() if data}
    contents = unsigned(len(change.dependencies)) + b"".join(change.dependencies) + prefixed(change.author)
    contents += unsigned(change.sequence) + unsigned(change.start) + signed(change.time) + b"\0"
    contents += unsigned(len(change.others)) + b"".join(map(prefixed, change.others)) + unsigned(len(columns))
    contents += b"".join(unsigned(specification) + unsigned(len(data)) for specification, data in columns.items())
    hashed = b"\1" + prefixed(contents + b"".join(columns.values()))
    return MAGIC + sha256(hashed).digest()[:4] + hashed


def read_change(chunk):
    """The change of a chunk, which must be written as `write_change` would."""
    body = Reader(Reader(chunk[9:]).prefixed())
    dependencies = [body.take(32) for _ in range(body.unsigned())]
    author, sequence, start, time = body.prefixed(), body.unsigned(), body.unsigned(), body.signed()
    message = body.prefixed()
    others = [body.prefixed() for _ in range(body.unsigned())]
    lengths = [(body.unsigned(), body.unsigned()) for _ in range(body.unsigned())]
    columns = {specification: body.take(length) for specification, length in lengths}

    def column(specification, read=Reader.unsigned):
        return Reader(columns.get(specification, b"")).runs(read)

    values, actors = Reader(columns.get(VALUE, b"")), iter(column(PREDECESSOR_ACTOR))
    counters = accumulate(column(PREDECESSOR_COUNTER, Reader.signed))
    rows = zip_longest(
        column(MAP_ACTOR), column(MAP_COUNTER), column(KEY, Reader.prefixed),
        column(ACTION), column(META), column(PREDECESSORS),
    )  # fmt: skip
    operations = []
    for map_actor, map_counter, key, action, meta, count in rows:
        within = None if map_counter is None else (map_actor, map_counter)
        replaced = [(next(actors), next(counters)) for _ in range(count)]
        operations.append(Operation(within, key.decode(), action, meta, values.take(meta >> 4), replaced))
    change = Change(dependencies, author, sequence, start, time, others, operations)
    if message or write_change(change) != chunk:
        raise ValueError("not a change as the packed form has it")
    return change


def value_of(operation):
    """What an operation sets its key to."""
    kind, data = operation.meta & 15, operation.value
    if kind < 3:
        return (None, False, True)[kind]
    readers = {3: Reader.unsigned, 4: Reader.signed, 9: Reader.signed}
    if kind in readers:
        return readers[kind](Reader(data))
    return struct.unpack("<d", data)[0] if kind == 5 else data.decode() if kind == 6 else data.hex()


def value_to_write(value):
    """The `meta` and the bytes of a value."""
    if value is None or isinstance(value, bool):
        return (None, False, True).index(value), b""
    writers = {int: (4, signed), float: (5, struct.Struct("<d").pack), str: (6, str.encode)}
    kind, write = writers[type(value)]
    data = write(value)
    return len(data) << 4 | kind, data
