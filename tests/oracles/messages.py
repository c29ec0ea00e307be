"""The device's name, what it signs, and the plain form of changes, by docs/protocol.md and docs/protocol-packing.md."""

import uuid
from hashlib import sha256

from change import Reader, unsigned

# The reasons of refusals about which an official may decide otherwise.
UNDECIDED = ("outside_scope", "revoked_device", "round_closed", "unknown_unit", "contradiction", "hamlet_full")


def actor_of(public_key):
    return sha256(public_key).digest()[:16]


def attestation(hashes):
    """What a device signs of the changes with these hashes."""
    return b"khaosat/attestation/1" + len(hashes).to_bytes(8, "big") + b"".join(hashes)


def enrolment(code):
    """What a device signs to enrol."""
    return b"khaosat/enrolment/1" + code.encode()


def pack_plain(groups):
    """The plain form of groups (round, unit, chunks)."""
    numbers = lambda values: b"".join(map(unsigned, values))
    rounds = list(dict.fromkeys(round for round, _, _ in groups))
    units = [unit.encode() for _, unit, _ in groups]
    chunks = [chunk for _, _, group in groups for chunk in group]
    columns = [
        numbers([len(rounds), len(groups), 0]),
        *(round.bytes for round in rounds),
        numbers(rounds.index(round) for round, _, _ in groups),
        bytes(len(groups)),  # A unit's code may share nothing with the one before.
        numbers(map(len, units)),
        numbers(len(group) for _, _, group in groups),
        *units,
        bytes(len(chunks)),
        numbers(map(len, chunks)),
        *chunks,
    ]
    return b"".join(columns)


def read_groups(reader):
    """The columns up to `Forms`: the groups (round, unit, number of changes), the actors, and the changes' forms."""
    rounds, groups, actors = reader.numbers(3)
    rounds = [uuid.UUID(bytes=reader.take(16)) for _ in range(rounds)]
    places, shared, lengths, counts = (reader.numbers(groups) for _ in range(4))
    units = [b""]
    for common, length in zip(shared, lengths):
        units.append(units[-1][:common] + reader.take(length))
    actors = [reader.take(length) for length in reader.numbers(actors)]
    groups = [(rounds[place], unit.decode(), count) for place, unit, count in zip(places, units[1:], counts)]
    return groups, actors, reader.numbers(sum(counts))


def unpack_plain(packed):
    """The groups (round, unit, chunks) of a plain form."""
    reader = Reader(packed)
    groups, _, forms = read_groups(reader)
    if any(forms):
        raise ValueError("the changes are not as they are, which was asked for")
    chunks = map(reader.take, reader.numbers(len(forms)))
    groups = [(round, unit, [next(chunks) for _ in range(count)]) for round, unit, count in groups]
    if not reader.at_end():
        raise ValueError("bytes follow the packed changes")
    return groups
