// automerge-repo over WebSocket: a server, or a device that exchanges documents with one, both in memory.
//
//   node automerge_repo.js server     listens, and tells { port } at once
//   node automerge_repo.js device     does as it is told
//
// Each further line of standard input is a JSON command, each is answered by one JSON line. Documents are named by
// their 16 bytes; those, what documents hold, and the hashes of heads are in hexadecimal.
//   { has }        waits until it has these heads of these documents: {}
//   { load }       documents from their bytes, or what is added to them: {}
//   { connect }    connects to that address, and waits until the server has introduced itself: {}
//   { find }       waits for these documents from the server: {}
//   { leave }      ends the connection: {}
//   { count }      the messages sent and received since the last count, those of WebSocket itself not among them:
//                  { sent, received }
// The server does not announce documents of its own accord, like the one that the authors of automerge-repo run.

import { createInterface } from 'node:readline';
import * as Automerge from '@automerge/automerge';
import { Repo, interpretAsDocumentId } from '@automerge/automerge-repo';
import { WebSocketClientAdapter, WebSocketServerAdapter } from '@automerge/automerge-repo-network-websocket';
import { WebSocketServer } from 'ws';

const tell = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const nameOf = (id) => interpretAsDocumentId(new Uint8Array(Buffer.from(id, 'hex')));
const soon = () => new Promise((done) => setTimeout(done, 2));

/** The package's own adapter, which counts besides. */
class Adapter extends WebSocketClientAdapter {
  sent = 0;
  received = 0;

  send(message) {
    this.sent += 1;
    super.send(message);
  }

  receiveMessage(bytes) {
    this.received += 1;
    super.receiveMessage(bytes);
  }
}

let repo, adapter;

async function has(documents) {
  for (const [id, heads] of Object.entries(documents)) {
    const wanted = heads.toSorted().join();
    const present = () => {
      const handle = repo.handles[nameOf(id)];
      return handle?.isReady() ? Automerge.getHeads(handle.doc()).toSorted().join() : undefined;
    };
    while (present() !== wanted) await soon();
  }
  return {};
}

async function obey(command) {
  if (command.has) return has(command.has);
  if (command.load) {
    for (const [id, bytes] of Object.entries(command.load)) {
      repo.import(Buffer.from(bytes, 'hex'), { docId: nameOf(id) });
    }
  } else if (command.connect) {
    // It would call again and again while it waits for a slow answer.
    adapter = new Adapter(command.connect, 600_000);
    const introduced = new Promise((done) => adapter.once('peer-candidate', done));
    repo.networkSubsystem.addNetworkAdapter(adapter);
    await introduced;
  } else if (command.find) {
    await Promise.all(command.find.map((id) => repo.find(nameOf(id))));
  } else if (command.leave) {
    repo.networkSubsystem.removeNetworkAdapter(adapter);
  } else {
    if (adapter === undefined) return { sent: 0, received: 0 };
    const { sent, received } = adapter;
    adapter.sent = adapter.received = 0;
    return { sent, received };
  }
  return {};
}

if (process.argv[2] === 'server') {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((done) => server.once('listening', done));
  // It would hang up on a device that does not answer within seconds, which on a slow link or a busy machine it may not.
  repo = new Repo({ network: [new WebSocketServerAdapter(server, 600_000)], sharePolicy: async () => false });
  tell({ port: server.address().port });
} else {
  repo = new Repo({ network: [] });
}
for await (const line of createInterface({ input: process.stdin })) tell(await obey(JSON.parse(line)));
process.exit();
