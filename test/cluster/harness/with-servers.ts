import type { ExecutionContext } from 'ava';

import { sharedKafka } from '../../servers/shared-kafka.ts';
import { sharedNats } from '../../servers/shared-nats.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import type { Servers } from './cluster.ts';

/** Whether there is what a cluster stands on. */
export const canCluster = hasTool('kafka') && hasTool('nats-server');

/** The servers that nobody harms. */
export async function sharedServers(t: ExecutionContext): Promise<Servers> {
  const [kafka, nats] = await Promise.all([sharedKafka(t), sharedNats(t)]);
  return { kafka, nats };
}
