/**
 * A slow processor: one core for the whole browser, of which something else takes most.
 *
 * Chromium's own throttle slows pages and not workers; a quota of the kernel's scheduler is granted in pieces as long as
 * a tick, so that whatever is shorter runs at full speed. Here something of a higher priority in real time
 * takes turns with the browser within three milliseconds.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';

/** Of each period, the milliseconds that are taken: five parts of six, in turns shorter than what is measured. */
const TAKEN = 2.5;
const PERIOD = 3;
/** What takes them, as this module's neighbour is compiled. */
const BURNER = new URL('./burn.js', import.meta.url).pathname;
/** The browser's priority in real time: whatever else this machine has to do waits. */
const BROWSER_PRIORITY = '1';
/** That of what slows it. */
const PRIORITY = '50';

const run = promisify(execFile);

/** The core that the browser gets. */
export class SlowProcessor {
  readonly #core = String(availableParallelism() - 1);
  #burner: ChildProcess | null = null;

  /** Puts a process and everything below it on this core, before all others that want it. */
  async give(root: number): Promise<void> {
    for (const id of await processesBelow(root)) {
      // A process that has ended in the meantime needs nothing.
      await run('taskset', ['--all-tasks', '--cpu-list', '--pid', this.#core, String(id)]).catch(
        () => undefined,
      );
      const scheduled = ['--rr', '--all-tasks', '--pid', BROWSER_PRIORITY, String(id)];
      await run('chrt', scheduled).catch(() => undefined);
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
