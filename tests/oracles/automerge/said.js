// What a response document says, in plain JSON.
//
// Text, numbers, truth values and null stand for themselves, an instant is { timestamp } in milliseconds since 1970. Each
// key gives { value, claims }: the value that wins, and where several people wrote without knowing of each other, each
// one's { actor, value }.

import * as Automerge from '@automerge/automerge';

function told(value) {
  if (Automerge.isImmutableString(value)) return value.toString();
  if (value instanceof Date) return { timestamp: value.getTime() };
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new Error(`a response document does not hold ${typeof value} ${JSON.stringify(value)}`);
}

// Among the values of a conflict, text that people replace is a plain string.
const toldClaim = (value) => (typeof value === 'string' ? value : told(value));

const isMap = (value) =>
  typeof value === 'object' && value !== null && !(value instanceof Date) && !Automerge.isImmutableString(value);

function map(object) {
  const keys = {};
  for (const key of Object.keys(object)) {
    if (isMap(object[key])) {
      keys[key] = map(object[key]);
      continue;
    }
    const claims = Object.entries(Automerge.getConflicts(object, key) ?? {});
    keys[key] = {
      value: told(object[key]),
      claims: claims.map(([operation, value]) => ({ actor: operation.split('@')[1], value: toldClaim(value) })),
    };
  }
  return keys;
}

/** Everything that a document says, its heads, and the hashes of all its changes. */
export function said(document) {
  return {
    ...map(document),
    heads: Automerge.getHeads(document),
    changes: Automerge.getAllChanges(document).map((change) => Automerge.decodeChange(change).hash),
  };
}

/** Writes answers into the map at `path`: text as one value that people replace, as everywhere in a response. */
export function write(document, path, answers) {
  const object = path.reduce((object, key) => object[key], document);
  for (const [question, value] of Object.entries(answers)) {
    object[question] = typeof value === 'string' ? new Automerge.ImmutableString(value) : value;
  }
}
