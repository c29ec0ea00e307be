/** The real server with a survey whose volunteers are in the field: `khaosat demo`, for the tests that need both. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Where cargo puts the program, seen from this package. */
const BUILT_PROGRAM = '../../target/debug/khaosat';

/** A running demo. */
export interface Demo {
  origin: string;
  /** Ends when the last volunteer's answers have arrived. */
  fieldworkDone: Promise<unknown>;
  /** Stops the demo and its server, and removes their data. */
  stop(): Promise<void>;
}

/**
 * Starts the demo with these arguments on a free port. The program is the one named by
 * `KHAOSAT_PROGRAM`, or cargo's; it serves the console in `dist` if it was built without `--release`.
 */
export async function startDemo(...options: string[]): Promise<Demo> {
  const program = process.env['KHAOSAT_PROGRAM'] ?? BUILT_PROGRAM;
  await access(program).catch(() => {
    throw new Error(`there is no program ${program}: run \`cargo xtask test\`, which builds it`);
  });
  const folder = await mkdtemp(join(tmpdir(), 'khaosat-console-'));
  const place = ['--data', join(folder, 'data'), '--listen', '127.0.0.1:0'];
  const child = spawn(program, ['demo', ...options, ...place], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };

  // On standard error the demo tells the console's address twice: when it serves, and after fieldwork.
  const said: string[] = [];
  const origins: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => {
    said.push(line);
    const origin = /^(http:\/\/127\.0\.0\.1:\d+)\//.exec(line)?.[1];
    if (origin !== undefined) origins.push(origin);
  });
  const told = (times: number): Promise<string> =>
    new Promise((resolve, reject) => {
      lines.on('line', () => {
        const origin = origins[times - 1];
        if (origin !== undefined) resolve(origin);
      });
      child.on('error', reject);
      child.on('close', () => reject(new Error(`the demo ended early:\n${said.join('\n')}`)));
    });
  const serving = told(1);
  const done = told(2);
  // Whoever does not wait for the end of fieldwork need not hear that it never came.
  done.catch(() => undefined);
  try {
    return { origin: await serving, fieldworkDone: done, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
