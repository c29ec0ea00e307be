"""Samples drawn by another ChaCha20 (Python package cryptography 44.0.0) and fractions of whole numbers.

Writes tests/oracle/sampling.json: python3 sampling.py > sampling.json
Follows the public description of the draws: key stream words of 64 bits, lowest byte first; Lemire's bounded numbers;
selection in one pass; points start/n + k·total/n on the cumulated sizes, certainty units taken out beforehand.
"""

import json
from fractions import Fraction

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20


class Words:
    def __init__(self, seed, stream):
        key = seed.to_bytes(8, "little") + bytes(24)
        # The package's 16 bytes of nonce are the 64-bit block counter and the 64-bit nonce of the original cipher.
        nonce = bytes(8) + stream.to_bytes(8, "little")
        self.stream = Cipher(ChaCha20(key, nonce), mode=None).encryptor()

    def below(self, bound):
        excess = (2**64 - bound) % bound
        while True:
            product = int.from_bytes(self.stream.update(bytes(8)), "little") * bound
            if product % 2**64 >= excess:
                return product // 2**64


def simple_random(words, units, size):
    chosen = []
    for unit in range(units):
        wanted = size - len(chosen)
        if wanted and words.below(units - unit) < wanted:
            chosen.append(unit)
    return chosen


def points(words, units, sizes, size):
    if size == 0:
        return []
    total = sum(sizes[unit] for unit in units)
    start = words.below(total)
    chosen, begin = [], Fraction(0)
    marks = [Fraction(start, size) + Fraction(k * total, size) for k in range(size)]
    for unit in units:
        end = begin + sizes[unit]
        if any(begin <= mark < end for mark in marks):
            chosen.append(unit)
        begin = end
    return chosen


def proportional(words, sizes, size):
    certain = set()
    while True:
        left = [unit for unit in range(len(sizes)) if unit not in certain]
        wanted = size - len(certain)
        total = sum(sizes[unit] for unit in left)
        more = {unit for unit in left if wanted and Fraction(wanted * sizes[unit], total) >= 1}
        if not more:
            return sorted(certain | set(points(words, left, sizes, wanted)))
        certain |= more


def case(method, seed, stream, sizes, size):
    words = Words(seed, stream)
    if method == "simple_random":
        selected = simple_random(words, len(sizes), size)
    elif method == "systematic":
        selected = points(words, range(len(sizes)), [1] * len(sizes), size)
    else:
        selected = proportional(words, sizes, size)
    return {"method": method, "seed": seed, "stream": stream, "sizes": sizes, "size": size, "selected": selected}


CASES = []
for seed in (0, 1, 394, 2**63 + 12345):
    for stream in (0, 3, 2**32 + 7):
        sizes = [(unit * 7919 + 31) % 211 + 1 for unit in range(40)]
        CASES.append(case("simple_random", seed, stream, sizes, 9))
        CASES.append(case("systematic", seed, stream, sizes, 9))
        CASES.append(case("proportional_to_size", seed, stream, sizes, 9))
        CASES.append(case("proportional_to_size", seed, stream, [900, *sizes, 4_000_000_000], 6))
print(json.dumps({"generator": "tests/oracle/sampling.py, cryptography 44.0.0", "cases": CASES}))
