import type { ExecutionContext } from 'ava';

import { startKafka } from '../../scripts/servers/start-kafka.ts';

let own: Promise<string> | undefined;

async function startOwn(): Promise<string> {
  const kafka = await startKafka();
  kafka.unref();
  return kafka.brokers.join(',');
}

/**
 * The address, `host:port`, of a real Kafka broker that is shared with other tests: each test uses topics of its own (see
 * unique-topic.ts), never deletes or lists those of others, and never harms the broker. `npm test` starts one for all;
 * a test file that was started in another way starts one for itself, which ends with its process. Ask for it only where
 * `hasTool('kafka')`.
 */
export function sharedKafka(t: ExecutionContext): Promise<string> {
  const shared = process.env['TEST_KAFKA'];
  if (shared !== undefined) return Promise.resolve(shared);
  if (own === undefined) t.log('started a Kafka broker for this file alone');
  own ??= startOwn();
  return own;
}
