import test from 'ava';
import { createRequire } from 'node:module';

import { quietQueues } from '../../../src/log/kafka/quiet-queues.ts';

interface Request {
  readonly entry: { readonly correlationId: number };
  readonly expectResponse: boolean;
  readonly sendRequest: () => void;
}

/** As much of the queue of kafkajs as is used here. */
interface Queue {
  readonly throttleCheckTimeoutId: NodeJS.Timeout | null;
  push(request: Request): void;
  maybeThrottle(ms: number): void;
  checkPendingRequests(): void;
  destroy(): void;
}

/** A queue of kafkajs as it is or as it was made, and the requests that it has sent. */
function queue(): { readonly queue: Queue; readonly sent: number[]; readonly ask: (correlationId: number) => Promise<void> } {
  const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (options: object) => Queue;
  const made = new RequestQueue({
    maxInFlightRequests: null, requestTimeout: 1_000, enforceRequestTimeout: false, clientId: 'test', broker: 'test:1',
    logger: { debug: () => undefined }, isConnected: () => true,
  });
  const sent: number[] = [];
  const ask = (correlationId: number): Promise<void> => new Promise((resolve) => {
    made.push({ entry: { correlationId }, expectResponse: true, sendRequest: () => {
      sent.push(correlationId);
      resolve();
    } });
  });
  return { queue: made, sent, ask };
}

test.serial('a connection of kafkajs by itself asks for a look at once when nothing waits', (t) => {
  const { queue: loud } = queue();
  loud.checkPendingRequests();
  t.not(loud.throttleCheckTimeoutId, null, 'where kafkajs has mended this, quiet-queues.ts can go');
  loud.destroy();
});

test.serial('a quiet one rests while nothing waits, and sends what waited as soon as it may', async (t) => {
  quietQueues();
  const { queue: quiet, sent, ask } = queue();
  await ask(1);
  quiet.checkPendingRequests();
  t.is(quiet.throttleCheckTimeoutId, null);
  quiet.maybeThrottle(50);
  const waiting = ask(2);
  t.deepEqual(sent, [1]);
  t.not(quiet.throttleCheckTimeoutId, null);
  await waiting;
  t.deepEqual(sent, [1, 2]);
  quiet.checkPendingRequests();
  t.is(quiet.throttleCheckTimeoutId, null);
  quiet.destroy();
});
