import { patchKafkajs } from './patch-kafkajs.ts';

/** What runs a consumer of kafkajs, as far as it matters here. */
interface Runner {
  readonly running: boolean;
  fetch: (this: Runner, nodeId: unknown) => Promise<readonly unknown[]>;
}

/**
 * Has the fetchers of kafkajs 2.2.4 end with the consumer that they belong to. Where it is stopped in the moment in which the brokers
 * have become others, it makes fetchers anew that nobody stops: each asks again at once for what a stopped consumer does not fetch, and
 * nothing else happens in the process any more.
 */
export function endedFetchers(): void {
  patchKafkajs<Runner, 'fetch'>('consumer/runner', 'fetch', (fetch) => async function fetchWhileRunning(nodeId): Promise<readonly unknown[]> {
    if (!this.running) throw new Error('the consumer was stopped');
    return fetch.call(this, nodeId);
  });
}
