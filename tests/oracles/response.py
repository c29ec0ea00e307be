"""The response document, by the section of that name of docs/protocol.md."""

import json
import uuid

from change import Change, Operation, hash_of, value_of, value_to_write, write_change


def response_of(round, unit):
    """The response's id, which is also the actor of its genesis."""
    return uuid.uuid5(round, unit).bytes


def genesis_of(response):
    maps = [Operation(None, name, 0, 0, b"", []) for name in ("answers", "members", "visits")]
    return write_change(Change([], response, 1, 1, 0, [], maps))


def answers_of(response, changes):
    """For each key of `answers` its values that no other change replaced, by (counter, actor) of what set them."""
    written, replaced = {}, set()
    for change in changes:
        actors = [change.author, *change.others]
        for place, operation in enumerate(change.operations):
            replaced |= {(counter, actors[actor]) for actor, counter in operation.predecessors}
            if operation.map and (operation.map[1], actors[operation.map[0]]) == (1, response):
                written[change.start + place, change.author] = operation
    answers = {}
    for name in sorted(written.keys() - replaced):
        answers.setdefault(written[name].key, {})[name] = value_of(written[name])
    return answers


def shown(values):
    """One value, or where there is a conflict the list of those that differ."""
    different = [json.loads(text) for text in sorted({json.dumps(value) for value in values})]
    return different if len(different) > 1 else different[0]


def write_answer(response, actor, known, key, value, time):
    """The chunk of a change that replaces all values of the key that the `known` changes, by hash, have."""
    replaced = list(answers_of(response, known.values()).get(key, {}))
    others = sorted({response, *(author for _, author in replaced)} - {actor})
    place = {name: number for number, name in enumerate([actor, *others])}
    predecessors = [(place[author], counter) for counter, author in replaced]
    operation = Operation((place[response], 1), key, 1, *value_to_write(value), predecessors)
    depended = {dependency for change in known.values() for dependency in change.dependencies}
    heads = sorted(known.keys() - depended) or [hash_of(genesis_of(response))]
    sequence = 1 + sum(change.author == actor for change in known.values())
    start = max([4, *(change.start + len(change.operations) for change in known.values())])
    return write_change(Change(heads, actor, sequence, start, time, others, [operation]))
