/** A slow line between a browser and a server, below HTTP: whatever a page or a worker of any kind sends goes over it. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** From one end to the other and back, in milliseconds. */
const ROUND_TRIP = 400;
/** Bits a millisecond in each direction, which all connections share. */
const RATE = 400;
/** Bytes that are on the line at once, so that connections take turns. */
const PIECE = 1460;

/** One direction: what goes in comes out later, and no faster than the rate. */
class Direction {
  bytes = 0;
  /** When the line has carried everything that was given to it. */
  #free = 0;

  /** Counts bytes and returns when the last of them is there. */
  carry(bytes: number): number {
    this.bytes += bytes;
    this.#free = Math.max(this.#free, performance.now()) + (bytes * 8) / RATE;
    return this.#free + ROUND_TRIP / 2;
  }
}

/** Listens in the server's place. */
export class SlowLine {
  readonly up = new Direction();
  readonly down = new Direction();
  /** Requests that went over it, by their methods and paths. */
  requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  #slow = false;
  #cut = false;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => this.#join(near));
  }

  /** Stands before the server of this origin. */
  static async before(origin: string): Promise<SlowLine> {
    const line = new SlowLine(Number(new URL(origin).port));
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get origin(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('there is no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Whether it is slow; at first it is not. */
  set slow(slow: boolean) {
    this.#slow = slow;
  }

  /** Whether there is no network. */
  set cut(cut: boolean) {
    this.#cut = cut;
    if (cut) for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut = true;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket): void {
    if (this.#cut) {
      near.destroy();
      return;
    }
    const far = connect(this.#target, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    }
    near.on('data', (data) => this.#note(data));
    // Before the first byte, a connection is made: one time there and back.
    this.#pass(near, far, this.up, performance.now() + (this.#slow ? ROUND_TRIP : 0));
    this.#pass(far, near, this.down, 0);
  }

  #note(data: Buffer): void {
    const request = /^([A-Z]+ \S+) HTTP\/1\.1\r\n/.exec(data.subarray(0, 500).toString('latin1'));
    if (request?.[1] !== undefined) this.requests.push(request[1]);
  }

  #pass(from: Socket, to: Socket, direction: Direction, notBefore: number): void {
    let passed = Promise.resolve();
    let due = notBefore;
    from.on('data', (data) => {
      if (!this.#slow) {
        direction.bytes += data.length;
        passed = passed.then(() => void to.write(data));
        return;
      }
      // No more is taken from the sender than the line carries.
      from.pause();
      const pieces = Array.from({ length: Math.ceil(data.length / PIECE) }, (_, index) =>
        data.subarray(index * PIECE, (index + 1) * PIECE),
      );
      const wait = Math.max(0, due - performance.now());
      passed = passed.then(async () => {
        await sleep(wait);
        for (const piece of pieces) {
          const arrival = direction.carry(piece.length);
          // The sender may go on when the piece is on the line.
          await sleep(arrival - ROUND_TRIP / 2 - performance.now());
          setTimeout(() => to.write(piece), ROUND_TRIP / 2);
        }
        due = 0;
        from.resume();
      });
    });
    from.on('close', () => {
      void passed.then(() => setTimeout(() => to.end(), this.#slow ? ROUND_TRIP / 2 : 0));
    });
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((woken) => setTimeout(woken, Math.max(0, milliseconds)));
}
