/** A page without screens: the platform's tests ask the worker through it. */

import { Client } from '../../src/core/client.ts';
import type { CoreEvent } from '../../src/core/protocol.ts';

const core = new Client(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
const events: CoreEvent[] = [];
core.listen((event) => events.push(event));

Object.assign(window, { core, events });
