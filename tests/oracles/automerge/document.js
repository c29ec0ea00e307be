// Opens a response document, tells what it says, and changes it if asked to.
//
// Reads from standard input { document, actor, edits, save }: the file; the author of the edits in hexadecimal; a list of
// { path, answers }, which are written as one change; the file to save to. Writes a JSON list with what the document says
// before, and after where there are edits.

import { readFileSync, writeFileSync } from 'node:fs';
import * as Automerge from '@automerge/automerge';
import { said, write } from './said.js';

const { document, actor, edits, save } = JSON.parse(readFileSync(0, 'utf8'));
const opened = Automerge.load(readFileSync(document), actor === undefined ? {} : { actor });
const told = [said(opened)];
if (edits !== undefined) {
  const edited = Automerge.change(opened, (draft) => {
    for (const { path, answers } of edits) write(draft, path, answers);
  });
  told.push(said(edited));
  writeFileSync(save, Automerge.save(edited));
}
process.stdout.write(JSON.stringify(told));
