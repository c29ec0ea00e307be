// Looks into responses live, through automerge-repo, as told line by line.
//
// Each line of standard input is a JSON command, each is answered by one JSON line:
//   { open, token }           connects to that address; answered once the server has introduced itself
//   { find }                  the document with that URL: { said }, or { unavailable }
//   { appears }               waits until a document that was unavailable is there: { said }
//   { wait, until: { path, value } }   waits until an answer of an open document has that value: { said }
//   { write, path, answers }  writes into this side's copy, waits until it was sent: { said }
//   { socket, token, frames } a connection without a repo, which sends these frames (hexadecimal, or { text }) and waits
//                             for its end: { status } of a refusal, or { messages, code, reason }; with { until } it
//                             waits for a message of that type only: { messages }
//   { ends }                  waits for the end of that connection

import { createInterface } from 'node:readline';
import { Repo, cbor } from '@automerge/automerge-repo';
import { WebSocketClientAdapter } from '@automerge/automerge-repo-network-websocket';
import WebSocket from 'ws';
import { said, write } from './said.js';

const headers = (token) => (token === undefined ? {} : { authorization: `Bearer ${token}` });

/** The package's own adapter, but for the token, which it has no place for. */
class Adapter extends WebSocketClientAdapter {
  sent = [];
  #token;

  constructor(url, token) {
    super(url, 0);
    this.#token = token;
  }

  connect(peerId, peerMetadata) {
    this.peerId = peerId;
    this.peerMetadata = peerMetadata ?? {};
    this.socket = new WebSocket(this.url, { headers: headers(this.#token) });
    this.socket.binaryType = 'arraybuffer';
    this.socket.addEventListener('open', this.onOpen);
    this.socket.addEventListener('close', this.onClose);
    this.socket.addEventListener('message', this.onMessage);
    this.socket.addEventListener('error', this.onError);
  }

  send(message) {
    super.send(message);
    this.sent.push(message);
    this.onSent?.(message);
  }
}

let repo, adapter;
const handles = new Map();

const valueAt = (document, [map, ...keys]) => keys.reduce((object, key) => object?.[key], said(document)[map])?.value;

async function find(url) {
  try {
    const handle = await repo.find(url);
    handles.set(url, handle);
    return { said: said(handle.doc()) };
  } catch (error) {
    return { unavailable: error.message };
  }
}

async function appears(url) {
  const { handle } = repo.findWithProgress(url);
  await handle.whenReady();
  handles.set(url, handle);
  return { said: said(handle.doc()) };
}

function wait(handle, { path, value }) {
  return new Promise((done) => {
    const look = () => {
      if (valueAt(handle.doc(), path) !== value) return;
      handle.off('change', look);
      done({ said: said(handle.doc()) });
    };
    handle.on('change', look);
    look();
  });
}

function writeInto(handle, path, answers) {
  return new Promise((done) => {
    adapter.onSent = (message) => {
      if (message.type !== 'sync' || message.documentId !== handle.documentId) return;
      adapter.onSent = undefined;
      done({ said: said(handle.doc()) });
    };
    handle.change((draft) => write(draft, path, answers));
  });
}

function open(url, token) {
  adapter = new Adapter(url, token);
  repo = new Repo({ network: [adapter] });
  return adapter.whenReady().then(() => ({ server: adapter.remotePeerId }));
}

let ending;

function talk(url, token, frames, until) {
  const socket = new WebSocket(url, { headers: headers(token) });
  const messages = [];
  return new Promise((done) => {
    ending = new Promise((ended) => {
      socket.on('unexpected-response', (_, response) => {
        ended({ status: response.statusCode });
        response.destroy();
      });
      socket.on('close', (code, reason) => ended({ messages, code, reason: reason.toString() }));
    });
    socket.on('error', () => {});
    socket.on('open', () => {
      for (const frame of frames) socket.send(frame.text ?? Buffer.from(frame, 'hex'));
    });
    socket.on('message', (bytes) => {
      const { data, ...message } = cbor.decode(bytes);
      messages.push(message);
      if (message.type === until) done({ messages });
    });
    ending.then(done);
  });
}

function obey(command) {
  if (command.open) return open(command.open, command.token);
  if (command.find) return find(command.find);
  if (command.appears) return appears(command.appears);
  if (command.wait) return wait(handles.get(command.wait), command.until);
  if (command.write) return writeInto(handles.get(command.write), command.path, command.answers);
  if (command.ends) return ending;
  return talk(command.socket, command.token, command.frames, command.until);
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await obey(JSON.parse(line));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit();
