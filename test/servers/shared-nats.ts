import type { ExecutionContext } from 'ava';

import { startNats } from '../../scripts/servers/start-nats.ts';

let own: Promise<string> | undefined;

async function startOwn(): Promise<string> {
  const nats = await startNats();
  nats.unref();
  return nats.url;
}

/**
 * The address, `host:port`, of a real nats-server with JetStream that is shared with other tests: each test uses streams
 * and subjects of its own (named after a topic of unique-topic.ts), and never harms the server. `npm test` starts one for
 * all; a test file that was started in another way starts one for itself, which ends with its process. Ask for it only
 * where `hasTool('nats-server')`.
 */
export function sharedNats(t: ExecutionContext): Promise<string> {
  const shared = process.env['TEST_NATS'];
  if (shared !== undefined) return Promise.resolve(shared);
  if (own === undefined) t.log('started a nats-server for this file alone');
  own ??= startOwn();
  return own;
}
