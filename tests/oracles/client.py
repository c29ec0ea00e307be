"""Another client of the exchange, which follows docs/protocol.md and docs/protocol-packing.md and nothing else.

    client.py enrol URL CODE STATE
    client.py answer STATE UNIT KEY VALUE       VALUE in JSON
    client.py sync|show STATE

STATE is the file of all that the device keeps. Every command prints in JSON what it holds; a conflict is a list.
"""

import json, os, pathlib, sys, time, urllib.error, urllib.request, uuid, zlib

import brotli, cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from change import hash_of, read_change
from messages import UNDECIDED, actor_of, attestation, enrolment, pack_plain, unpack_plain
from response import answers_of, response_of, shown, write_answer


class Device:
    """What a device keeps, in one file that is replaced as a whole. Changes and hashes are in hexadecimal."""

    def __init__(self, path, server=None):
        self.path = path
        self.state = {
            "server": server, "key": os.urandom(32).hex(), "token": None, "round": None,
            "cursor": None, "acknowledged": None, "restoring": True,
            "known": {}, "unacknowledged": [], "refused": [],
        }  # fmt: skip
        if pathlib.Path(path).exists():
            self.state = json.loads(pathlib.Path(path).read_text())
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.state["key"]))
        self.public_key = self.key.public_key().public_bytes_raw()
        self.actor = actor_of(self.public_key)
        self.round = uuid.UUID(self.state["round"]) if self.state["round"] else None

    def save(self):
        with open(os.open(self.path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.path + ".new", self.path)
        folder = os.open(os.path.dirname(os.path.abspath(self.path)), os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def post(self, path, body, headers):
        request = urllib.request.Request(self.state["server"] + path, body, {"Accept-Language": "en"} | headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{error.code}: {json.load(error)['detail']}")

    def enrol(self, code):
        self.save()  # Where no answer comes, the code may be sent again, with the same key.
        signature = self.key.sign(enrolment(code)).hex()
        body = json.dumps({"code": code, "public_key": self.public_key.hex(), "signature": signature}).encode()
        answer = json.loads(self.post("/api/v1/devices/enrol", body, {"Content-Type": "application/json"}))
        self.state |= {"token": answer["token"], "round": answer["round"]}
        self.save()

    def changes(self, unit):
        """The changes that the device has of a unit's response, by hash."""
        chunks = map(bytes.fromhex, self.state["known"].get(unit, {}).values())
        return {hash_of(chunk): read_change(chunk) for chunk in chunks}

    def answer(self, unit, key, value):
        response, known = response_of(self.round, unit), self.changes(unit)
        chunk = write_answer(response, self.actor, known, key, value, int(time.time()))
        self.state["known"].setdefault(unit, {})[hash_of(chunk).hex()] = chunk.hex()
        self.state["unacknowledged"].append([unit, hash_of(chunk).hex()])
        self.save()

    def written(self):
        """What the device wrote and the server does not refuse."""
        refused = [hash for _, hash, _ in self.state["refused"]]
        changes = ((unit, hash.hex(), one) for unit in self.state["known"] for hash, one in self.changes(unit).items())
        return [[unit, hash] for unit, hash, one in changes if one.author == self.actor and hash not in refused]

    def sync(self):
        # What an official may have decided about goes again, and first: later changes may depend on it.
        undecided = [[unit, hash] for unit, hash, reason in self.state["refused"] if reason in UNDECIDED]
        more, sending = True, undecided + self.state["unacknowledged"]
        while more:
            # Both codings that a request may have, in turn.
            coding, compress = ("deflate", zlib.compress) if self.state.get("cursor") else ("br", brotli.compress)
            body = compress(cbor2.dumps(self.request(sending)))
            headers = {"Content-Type": "application/cbor", "Content-Encoding": coding}
            headers["Authorization"] = "Bearer " + self.state["token"]
            answer = cbor2.loads(brotli.decompress(self.post("/api/v1/sync", body, headers)))
            self.receive(sending, answer)
            # What waits for others at the server is sent again on the next occasion, not at once.
            more, sending = answer["more"], self.state["unacknowledged"] if answer.get("unknown_cursor") else []

    def request(self, changes):
        chunks = [bytes.fromhex(self.state["known"][unit][hash]) for unit, hash in changes]
        signatures = [self.key.sign(attestation([hash_of(chunk)])) for chunk in chunks]
        request = {
            "version": 2, "plain": True, "device_time": time.time_ns() // 10**6, "devices": [self.public_key],
            "changes": pack_plain([(self.round, unit, [chunk]) for (unit, _), chunk in zip(changes, chunks)]),
            "attestations": [[0, number, 1, signature] for number, signature in enumerate(signatures)],
        }  # fmt: skip
        for name in filter(self.state.get, ("cursor", "acknowledged")):
            request[name] = [self.state[name][0], bytes.fromhex(self.state[name][1])]
        return request | ({"restoring": True} if self.state["restoring"] else {})

    def receive(self, sent, answer):
        """Takes an answer; all of it is on disk together with the cursor that follows it."""
        waiting = [sent[number] for number in answer["waiting"]]
        refused = [[*sent[refusal["change"]], refusal["reason"]] for refusal in answer["refused"]]
        erased = [one["unit"] for one in answer.get("erased", []) if one["round"] == self.round.bytes]
        erased += [unit for unit, _, reason in refused if reason == "erased"]
        self.state["unacknowledged"] = [one for one in self.state["unacknowledged"] if one not in sent] + waiting
        self.state["refused"] = [one for one in self.state["refused"] if one[:2] not in sent] + refused
        for _, unit, chunks in unpack_plain(answer["changes"]):
            known = self.state["known"].setdefault(unit, {})
            known.update((hash_of(chunk).hex(), chunk.hex()) for chunk in chunks)
        self.state["known"] = {unit: known for unit, known in self.state["known"].items() if unit not in erased}
        for name in ("unacknowledged", "refused"):
            self.state[name] = [one for one in self.state[name] if one[0] not in erased]
        for name in ("cursor", "acknowledged"):
            self.state[name] = [answer[name][0], answer[name][1].hex()] if name in answer else None
        if answer.get("unknown_cursor"):
            self.state |= {"restoring": True, "unacknowledged": self.written()}
        elif not answer["more"]:
            self.state["restoring"] = False
        self.save()

    def show(self):
        held = {}
        for unit in self.state["known"]:
            answers = answers_of(response_of(self.round, unit), self.changes(unit).values())
            held[unit] = {key: shown(values.values()) for key, values in answers.items()}
        refused = [{"unit": unit, "reason": reason} for unit, _, reason in self.state["refused"]]
        told = {"answers": held, "unacknowledged": len(self.state["unacknowledged"]), "refused": refused}
        print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["enrol", url, code, state]:
            (device := Device(state, url.rstrip("/"))).enrol(code)
        case ["answer", state, unit, key, value]:
            (device := Device(state)).answer(unit, key, json.loads(value))
        case ["sync", state]:
            (device := Device(state)).sync()
        case ["show", state]:
            device = Device(state)
        case _:
            sys.exit(__doc__)
    device.show()
