/**
 * A slow processor: one core for the whole browser, of which something else takes most.
 *
 * Chromium's own throttle slows pages and not workers; a quota of the kernel's scheduler is granted in pieces as long as
 * a tick, so that whatever is shorter runs at full speed. What takes turns here does so within a millisecond.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';

/** Of each period, the milliseconds that are taken: five parts of six, what it costs to change over counted in. */
const TAKEN = 0.5;
const PERIOD = 0.59;
/** What takes them, as this module's neighbour is compiled. */
const BURNER = new URL('./burn.js', import.meta.url).pathname;
/** Above everything that is not of real time. */
const PRIORITY = '50';

const run = promisify(execFile);

/** The core that the browser gets. */
export class SlowProcessor {
  readonly #core = String(availableParallelism() - 1);
  #burner: ChildProcess | null = null;

  /** Puts a process and everything below it on this core, before all others that want it. */
  async give(root: number): Promise<void> {
    // Sessions share a core before their processes do.
    await writeFile(`/proc/${root}/autogroup`, '-20').catch(() => undefined);
    for (const id of await processesBelow(root)) {
      // A process that has ended in the meantime needs nothing.
      await run('taskset', ['--all-tasks', '--cpu-list', '--pid', this.#core, String(id)]).catch(
        () => undefined,
      );
      await run('renice', ['--priority', '-20', '--pid', String(id)]).catch(() => undefined);
    }
  }

  /** From now on the core is slow. Needs the right to run with a real-time priority. */
  async slow(): Promise<void> {
    if (this.#burner !== null) return;
    const burn = [process.execPath, BURNER, String(TAKEN), String(PERIOD)];
    const scheduled = ['--fifo', PRIORITY, 'taskset', '--cpu-list', this.#core, ...burn];
    const burner = spawn('chrt', scheduled, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#burner = burner;
    await Promise.race([
      once(burner.stdout, 'data'),
      once(burner, 'close').then(() => {
        throw new Error('the processor cannot be slowed: chrt needs root or CAP_SYS_NICE');
      }),
    ]);
  }

  /** From now on it is as quick as it is. */
  async quick(): Promise<void> {
    const burner = this.#burner;
    this.#burner = null;
    if (burner === null || burner.exitCode !== null) return;
    const ended = once(burner, 'close');
    burner.kill('SIGKILL');
    await ended;
  }
}

/** A process and all below it. */
async function processesBelow(root: number): Promise<number[]> {
  const found = [root];
  for (const id of found) {
    const threads = await readdir(`/proc/${id}/task`).catch(() => []);
    for (const thread of threads) {
      const children = await readFile(`/proc/${id}/task/${thread}/children`, 'utf8').catch(
        () => '',
      );
      found.push(...children.split(' ').filter(Boolean).map(Number));
    }
  }
  return found;
}
