// PouchDB: a server that speaks CouchDB's protocol, or a device that replicates with one, both with databases in memory.
//
//   node pouchdb.js server     listens, and tells { port } at once
//   node pouchdb.js device     does as it is told
//
// Each further line of standard input is a JSON command, each is answered by one JSON line:
//   server  { count }                 the requests since the last count: { requests }
//   device  { put, database }         writes these documents: {}
//   device  { push, database }        replicates to that URL: { seconds, written }
//   device  { pull, database }        replicates from that URL: { seconds, written }
// The packages are where KHAOSAT_POUCHDB says.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const packages = createRequire(`${process.env.KHAOSAT_POUCHDB}/package.json`);
const PouchDB = packages('pouchdb-core')
  .plugin(packages('pouchdb-adapter-memory'))
  .plugin(packages('pouchdb-adapter-http'))
  .plugin(packages('pouchdb-replication'));
const memory = { adapter: 'memory' };

const databases = new Map();

function open(name) {
  if (!databases.has(name)) databases.set(name, new PouchDB(name, memory));
  return databases.get(name);
}

async function timed(replication) {
  const begun = process.hrtime.bigint();
  const { docs_written: written } = await replication;
  return { seconds: Number(process.hrtime.bigint() - begun) / 1e9, written };
}

async function obey(command) {
  if (command.put) {
    const database = open(command.database);
    const present = await database.allDocs({ keys: command.put.map((document) => document._id) });
    const revised = command.put.map((document, place) => ({ ...document, _rev: present.rows[place].value?.rev }));
    const failed = (await database.bulkDocs(revised)).filter((outcome) => outcome.error);
    if (failed.length > 0) throw new Error(JSON.stringify(failed));
    return {};
  }
  if (command.push) return timed(open(command.database).replicate.to(command.push));
  return timed(open(command.database).replicate.from(command.pull));
}

const tell = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

async function listen(answer) {
  for await (const line of createInterface({ input: process.stdin })) tell(await answer(JSON.parse(line)));
  process.exit();
}

if (process.argv[2] === 'server') {
  const app = packages('express-pouchdb')(PouchDB.defaults(memory), {
    mode: 'minimumForPouchDB',
    inMemoryConfig: true,
  });
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    app(request, response);
  });
  server.listen(0, '127.0.0.1', () => {
    tell({ port: server.address().port });
    listen(() => {
      const counted = requests;
      requests = 0;
      return { requests: counted };
    });
  });
} else {
  listen(obey);
}
