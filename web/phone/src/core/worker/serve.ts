/** Connects a page with the service, by messages. */

import type { FromWorker, ToWorker } from '../messages.ts';
import type { StartCore } from './instance.ts';
import { Refused } from '../protocol.ts';
import { problem } from '../problems.ts';
import { Service } from './service.ts';

/** Serves the page that started this worker. */
export function serve(startCore: StartCore): void {
  const worker = self as unknown as DedicatedWorkerGlobalScope;
  const send = (message: FromWorker): void => worker.postMessage(message);
  const service = new Service(startCore, (event) => send({ kind: 'event', event }));

  worker.addEventListener('message', (event) => {
    const message = event.data as ToWorker;
    if (message.kind === 'wake') {
      service.wake();
      return;
    }
    const { id, name, argument } = message;
    service.ask(name, argument).then(
      (value) => send({ kind: 'value', id, value }),
      (error: unknown) => {
        if (!(error instanceof Refused)) console.error(`${name} failed`, error);
        const told = error instanceof Refused ? error.problem : problem('core-failed', 'vi');
        send({ kind: 'refused', id, problem: told });
      },
    );
  });
}
