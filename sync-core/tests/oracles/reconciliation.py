"""Set reconciliation once more, from docs/protocol-reconciliation.md alone: writes the test vectors that the Rust code
must reproduce byte by byte. Python 3.9 or later, standard library only.

    python3 reconciliation.py > ../vectors/reconciliation.json
"""

import hashlib
import json
import math

MASK = (1 << 64) - 1
SET_DOMAIN = b"khaosat/reconciliation/set/1"


def set_digest(salt, hashes):
    return hashlib.sha256(SET_DOMAIN + salt + len(hashes).to_bytes(8, "big") + b"".join(sorted(hashes))).digest()


def key(salt, value):
    digest = hashlib.sha256(salt + value).digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")


def cell_numbers(seed, end):
    number, state = 0, seed
    while number < end:
        yield number
        state = (state + 0x9E3779B97F4A7C15) & MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        random = (mixed ^ (mixed >> 31)) >> 32
        # The smallest n over `number` with (n + 1)(n + 2)(random + 1) >= (number + 1)(number + 2) 2^32; starts a little
        # below the root and goes up, so that it shares no arithmetic with the Rust code.
        wanted = (number + 1) * (number + 2) << 32
        n = max(number + 1, math.isqrt(wanted // (random + 1)) - 3)
        while (n + 1) * (n + 2) * (random + 1) < wanted:
            n += 1
        number = n


def cells(salt, hashes, first, count):
    """[sum, check, count] of each cell."""
    made = [[0, 0, 0] for _ in range(count)]
    for value in hashes:
        check, seed = key(salt, value)
        for number in cell_numbers(seed, first + count):
            if number >= first:
                cell = made[number - first]
                cell[0] ^= int.from_bytes(value, "big")
                cell[1] ^= check
                cell[2] += 1
    return made


def request(salt, here, first, count):
    claim = set_digest(salt, here)[:16]
    return bytes([1, 1]) + salt + claim + first.to_bytes(2, "big") + count.to_bytes(2, "big")


def varint(number):
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def answer(salt, here, there, first, count):
    digest = set_digest(salt, there)
    made = [] if set_digest(salt, here)[:16] == digest[:16] else cells(salt, there, first, count)
    head = bytes([1, 2]) + digest + len(there).to_bytes(4, "big") + first.to_bytes(2, "big")
    body = bytearray(len(made).to_bytes(2, "big"))
    for number, (total, check, count) in enumerate(made, first):
        deviation = count - 2 * len(there) // (number + 2)
        body += total.to_bytes(32, "big") + check.to_bytes(8, "big")
        body += varint(2 * deviation if deviation >= 0 else -2 * deviation - 1)
    return head + bytes(body)


def case(name, here, there, piece):
    """Exchanges pieces of `piece` cells until the reference itself can solve them."""
    salt = hashlib.sha256(name.encode()).digest()[:16]
    exchanges, first = [], 0
    while True:
        exchanges.append(
            {
                "request": request(salt, here, first, piece).hex(),
                "answer": answer(salt, here, there, first, piece).hex(),
            }
        )
        first += piece
        if solves(salt, here, there, first):
            break
    return {
        "name": name,
        "salt": salt.hex(),
        "here": sorted(value.hex() for value in here),
        "there": sorted(value.hex() for value in there),
        "cells_at_once": piece,
        "exchanges": exchanges,
        "missing_here": sorted(value.hex() for value in there - here),
        "missing_there": sorted(value.hex() for value in here - there),
    }


def solves(salt, here, there, count):
    """Whether `count` cells are enough, found by the sets themselves: a hash that stands alone in a cell is taken out."""
    left = {value: list(cell_numbers(key(salt, value)[1], count)) for value in here ^ there}
    while left:
        load = {}
        for value, numbers in left.items():
            for number in numbers:
                load.setdefault(number, []).append(value)
        alone = {values[0] for values in load.values() if len(values) == 1}
        if not alone:
            return False
        for value in alone:
            del left[value]
    return True


def hashes(*ranges):
    return {hashlib.sha256(b"change %d" % number).digest() for numbers in ranges for number in numbers}


def main():
    cases = [
        case("both sets are empty", set(), set(), 4),
        case("equal sets", hashes(range(40)), hashes(range(40)), 4),
        case("nothing here", set(), hashes(range(3)), 8),
        case("nothing there", hashes(range(3)), set(), 8),
        case("one here that is not there", hashes(range(20)), hashes(range(1, 20)), 4),
        case("both lack some", hashes(range(0, 37)), hashes(range(5, 45)), 16),
        case("nothing in common", hashes(range(0, 12)), hashes(range(100, 112)), 16),
    ]
    # Where a hash goes, apart from any set: the first cells of some seeds.
    choices = [
        {"seed": "%016x" % seed, "end": end, "cells": list(cell_numbers(seed, end))}
        for seed, end in [(0, 65535), (1, 65535), (MASK, 65535), (0x0123456789ABCDEF, 1000)]
    ]
    print(json.dumps({"version": 1, "choices": choices, "cases": cases}, indent=1))


main()
