/** An installation of its own with the real server, for tests in which a phone works with it. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** Where cargo puts the program, seen from this package. */
const BUILT_PROGRAM = '../../target/debug/khaosat';
/** The program under test; it serves the app in `dist` if it was built without `--release`. */
export const PROGRAM = process.env['KHAOSAT_PROGRAM'] ?? BUILT_PROGRAM;
/** The questionnaire of the demo, seen from this package. */
export const FORM = '../../forms/household.xlsx';

/** The hamlet whose households are `A1` … `A20`. */
export const HAMLET = '28249-01';
/** How many households each hamlet has. */
export const HOUSEHOLDS = 20;
/** The name that the official gives with an invitation. */
export const VOLUNTEER = 'Nguyễn Văn Ba';

function hamlets(households: number): string {
  return `code,name,kind,commune_code,stratum,households
28249-01,1,khu phố,28249,815,${households}
28270-01,1,khu phố,28270,815,${households}
`;
}

const STREETS = ['Trần Hưng Đạo', 'Lê Thị Hồng Gấm', 'Đinh Bộ Lĩnh'];

/** Where a household of the hamlet lives. */
export function addressOf(unit: string): string {
  const number = Number(unit.slice(1));
  const street = STREETS[number % STREETS.length];
  return number % 2 === 0 ? `Hẻm ${number} ${street}` : `Số ${7 * number}/${number} ${street}`;
}

/** A response as `khaosat export responses` writes it. */
export interface ExportedResponse {
  unit: string;
  answers: Record<string, unknown>;
  visits: unknown[];
  conflicts: unknown[];
  /** Of each repeat, its instances. */
  [repeat: string]: unknown;
}

/** A device as `khaosat device list` tells it. */
/** What `khaosat conflict show` tells of a question. */
interface ShownConflict {
  question: string;
  instance: string | null;
  answers: { value: unknown; authors: string[]; time: number }[];
}

interface ListedDevice {
  name: string;
  public_key: string;
}

/** What is other than usual. */
export interface Options {
  /** Makes another questionnaire of the demo's, which it gets as Markdown tables. */
  change?: (form: string) => string;
  /** Households of each hamlet. */
  households?: number;
}

/** Data and server of one office. */
export class Installation {
  readonly #folder: string;
  readonly #port: number;
  #server: ChildProcess | null = null;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  /** Makes one with a round of two hamlets, and starts its server. */
  static async start({ change, households = HOUSEHOLDS }: Options = {}): Promise<Installation> {
    await access(PROGRAM).catch(() => {
      throw new Error(`there is no program ${PROGRAM}: run \`cargo xtask test\`, which builds it`);
    });
    const folder = await mkdtemp(join(tmpdir(), 'khaosat-phone-'));
    const installation = new Installation(folder, await freePort());
    try {
      await installation.#create(change, households);
      await installation.serve();
    } catch (error) {
      await installation.remove();
      throw error;
    }
    return installation;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Whether the server runs. */
  get running(): boolean {
    return this.#server !== null;
  }

  /** Runs the program on this installation, and returns what it writes. */
  async run(...command: string[]): Promise<string> {
    const place = ['--data', join(this.#folder, 'data')];
    const { stdout } = await promisify(execFile)(PROGRAM, [...command, ...place], {
      maxBuffer: 64 << 20,
    });
    return stdout;
  }

  /** Invites a phone to the hamlet, and returns the code. */
  async invite(name: string = VOLUNTEER): Promise<string> {
    const place = ['--hamlet', HAMLET, '--name', name, '--format', 'text'];
    return (await this.run('device', 'invite', ...place)).trim();
  }

  /** Invites the phone of the leader of the hamlet's team, and returns the code. */
  async inviteLeader(name: string): Promise<string> {
    const place = ['--hamlet', HAMLET, '--name', name, '--leader', '--format', 'text'];
    return (await this.run('device', 'invite', ...place)).trim();
  }

  /** Takes the rights of the device of this name away. */
  async revoke(name: string): Promise<void> {
    const devices = JSON.parse(
      await this.run('device', 'list', '--format', 'json'),
    ) as ListedDevice[];
    const device = devices.find((candidate) => candidate.name === name);
    if (device === undefined) throw new Error(`there is no device ${name}`);
    await this.run('device', 'revoke', '--reason', 'Mất máy', device.public_key);
  }

  /** Where people answered differently about a household. */
  async conflicts(unit: string): Promise<ShownConflict[]> {
    return JSON.parse(
      await this.run('conflict', 'show', unit, '--format', 'json'),
    ) as ShownConflict[];
  }

  /** Every response that the server has. */
  async responses(): Promise<ExportedResponse[]> {
    const lines = await this.run('export', 'responses', '--with-identifying');
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ExportedResponse);
  }

  /** Starts the server, always on the same port, and waits until it listens. */
  async serve(): Promise<void> {
    const place = ['--data', join(this.#folder, 'data'), '--listen', `127.0.0.1:${this.#port}`];
    // With this process the server's input ends, and so does the server.
    const server = spawn(PROGRAM, ['serve', '--until-input-ends', ...place], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#server = server;
    const said: string[] = [];
    await new Promise<void>((listening, reject) => {
      // Somebody has to read on, or the server waits once the pipe is full.
      createInterface({ input: server.stderr }).on('line', (line) => {
        said.push(line);
        if (line.includes('http://')) listening();
      });
      server.on('error', reject);
      server.on('close', () => reject(new Error(`the server ended early:\n${said.join('\n')}`)));
    });
  }

  /** Ends the server at once, as a power cut would. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'close');
    server.kill('SIGKILL');
    await ended;
  }

  /** Ends the server and removes the data. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async #create(change: Options['change'], count: number): Promise<void> {
    const written = async (name: string, text: string): Promise<string> => {
      const path = join(this.#folder, name);
      await writeFile(path, text);
      return path;
    };
    const households = Array.from({ length: count }, (_, index) => index + 1).map(
      (number) =>
        `A${number},28249-01,${addressOf(`A${number}`)}\nB${number},28270-01,Tổ ${number}\n`,
    );
    const form =
      change === undefined
        ? FORM
        : await written('form.md', change(await this.run('form', 'convert', '--to', 'md', FORM)));
    await this.run('init');
    await this.run(
      ...['round', 'create', '--name', 'Chuyển đổi số 2025', '--reference-date', '2025-10-01'],
      ...['--units-on', '2022-12-19'],
      ...['--form', form],
      ...['--hamlets', await written('hamlets.csv', hamlets(count))],
      ...[
        '--households',
        await written('households.csv', `code,hamlet_code,address\n${households.join('')}`),
      ],
    );
  }
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  probe.close();
  await once(probe, 'close');
  return address.port;
}
