"""Computes every value of files like tests/vectors/exchanges.json again.

    vectors.py FILE...

Prints in JSON for each file how many values of each kind it has, or what is wrong with it.
"""

import json, sys, uuid
from hashlib import sha256

import brotli, cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from change import hash_of, read_change, value_of, write_change
from messages import actor_of, attestation, enrolment, pack_plain, unpack_plain
from packing import unpack
from response import answers_of, genesis_of, response_of, shown


def same(computed, told, what):
    if computed != told:
        raise ValueError(f"{what}: computed {computed!r}, but the vectors tell {told!r}")


def bytes_in_hexadecimal(value):
    """A decoded message with its bytes as the vectors tell them."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [bytes_in_hexadecimal(item) for item in value]
    if isinstance(value, dict):
        return {name: bytes_in_hexadecimal(item) for name, item in value.items()}
    return value


def check_device(device):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(device["secret"]))
    public_key, code = key.public_key().public_bytes_raw(), device["enrolment"]["code"]
    same(public_key.hex(), device["public_key"], "public key")
    same(actor_of(public_key).hex(), device["actor"], "actor")
    same(key.sign(enrolment(code)).hex(), device["enrolment"]["signature"], "signature of an enrolment")


def check_response(response):
    name = response_of(uuid.UUID(response["round"]), response["unit"])
    same(str(uuid.UUID(bytes=name)), response["response"], "response")
    genesis = genesis_of(name)
    same(genesis.hex(), response["genesis"], "genesis")
    same(hash_of(genesis).hex(), response["genesis_hash"], "hash of a genesis")


def check_change(change, devices):
    chunk = bytes.fromhex(change["chunk"])
    read = read_change(chunk)
    same(write_change(read).hex(), change["chunk"], "chunk")
    same(hash_of(chunk).hex(), change["hash"], "hash")
    same(read.author.hex(), devices[change["device"]]["actor"], "author's device")
    names = [read.author.hex(), *(other.hex() for other in read.others)]
    named = lambda reference: f"{reference[1]}@{names[reference[0]]}"
    computed = {
        "author": read.author.hex(),
        "sequence": read.sequence,
        "start": read.start,
        "time": read.time,
        "dependencies": [dependency.hex() for dependency in read.dependencies],
        "others": names[1:],
        "operations": [
            {
                "map": named(operation.map) if operation.map else "_root",
                "key": operation.key,
                "action": "set" if operation.action else "make map",
                "type": operation.meta & 15,
                "value": value_of(operation),
                "replaces": [named(predecessor) for predecessor in operation.predecessors],
            }
            for operation in read.operations
        ],
    }
    same(computed, {name: change[name] for name in computed}, "change")


def check_log(log):
    mark = bytes(8)
    for entry in log:
        mark = sha256(mark + bytes.fromhex(entry["hash"])).digest()[:8]
        same(mark.hex(), entry["mark"], "mark")


def named_groups(groups):
    """Groups of chunks as an exchange tells them: each change by its hash."""
    return [
        {"round": str(round), "unit": unit, "changes": [hash_of(chunk).hex() for chunk in chunks]}
        for round, unit, chunks in groups
    ]


def check_message(message, chunks, what):
    """Checks both forms of a request or an answer. Gives its decoded plain form."""
    for form, read in (("packed", unpack), ("plain", unpack_plain)):
        cbor = bytes.fromhex(message[form]["cbor"])
        decoded = cbor2.loads(cbor)
        groups = read(decoded.pop("changes"))
        same(named_groups(groups), message["groups"], f"{what}: changes, {form}")
        for _, _, group in groups:
            same(all(chunk in chunks for chunk in group), True, f"{what}: chunks, {form}")
        # Only the plain one asks for a plain answer.
        same(decoded.pop("plain", False), form == "plain" and "attestations" in decoded, f"{what}: plain")
        same(bytes_in_hexadecimal(decoded), message["fields"], f"{what}: fields, {form}")
        if "brotli" in message[form]:
            same(brotli.decompress(bytes.fromhex(message[form]["brotli"])), cbor, f"{what}: brotli, {form}")
    return decoded


def check_exchange(exchange, devices, chunks):
    request = check_message(exchange["request"], chunks, exchange["name"] + ", request")
    hashes = [bytes.fromhex(hash) for group in exchange["request"]["groups"] for hash in group["changes"]]
    covered = []
    for device, first, count, signature in request["attestations"]:
        secret = next(one["secret"] for one in devices if one["public_key"] == request["devices"][device].hex())
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
        signed = key.sign(attestation(hashes[first : first + count]))
        same(signed, signature, exchange["name"] + ": attestation")
        covered += range(first, first + count)
    same(sorted(covered), list(range(len(hashes))), exchange["name"] + ": what is attested")
    answer = check_message(exchange["answer"], chunks, exchange["name"] + ", answer")
    settled = answer["accepted"] + len(answer["waiting"]) + len(answer["refused"])
    same(settled, len(hashes), exchange["name"] + ": what became of the changes")


def check_packing(packing):
    groups = [
        (uuid.UUID(group["round"]), group["unit"], [bytes.fromhex(chunk) for chunk in group["changes"]])
        for group in packing["groups"]
    ]
    same(unpack(bytes.fromhex(packing["packed"])), groups, packing["name"] + ": packed")
    same(unpack_plain(bytes.fromhex(packing["plain"])), groups, packing["name"] + ": plain")
    same(unpack_plain(pack_plain(groups)), groups, packing["name"] + ": packed here")


def check_answers(answers, vectors, held):
    """Checks what the first device has in the end of one response."""
    response = response_of(uuid.UUID(answers["round"]), answers["unit"])
    changes = [
        read_change(bytes.fromhex(change["chunk"]))
        for change in vectors["changes"]
        if (change["round"], change["unit"]) == (answers["round"], answers["unit"]) and change["hash"] in held
    ]
    computed = {key: shown(values.values()) for key, values in answers_of(response, changes).items()}
    same(computed, answers["answers"], "answers")


def check(vectors):
    chunks = {bytes.fromhex(change["chunk"]) for change in vectors["changes"]}
    exchanges = [exchange for exchange in vectors["exchanges"] if exchange["device"] == 0]
    groups = [group for exchange in exchanges for side in ("request", "answer") for group in exchange[side]["groups"]]
    held = {hash for group in groups for hash in group["changes"]}
    for device in vectors["devices"]:
        check_device(device)
    for response in vectors["responses"]:
        check_response(response)
    for change in vectors["changes"]:
        check_change(change, vectors["devices"])
    check_log(vectors["log"])
    for exchange in vectors["exchanges"]:
        check_exchange(exchange, vectors["devices"], chunks)
    for packing in vectors["packings"]:
        check_packing(packing)
    for answers in vectors["answers"]:
        check_answers(answers, vectors, held)
    return {kind: len(entries) for kind, entries in vectors.items()}


def judge(path):
    with open(path) as file:
        vectors = json.load(file)
    try:
        return check(vectors)
    except Exception as error:  # Wrong bytes may be wrong in any way: not to be inflated, cut short, of another type.
        return {"wrong": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    print(json.dumps([judge(path) for path in sys.argv[1:]]))
