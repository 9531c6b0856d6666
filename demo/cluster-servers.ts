import path from 'node:path';

import { kafkaJars } from '../scripts/servers/kafka-jars.ts';
import { startKafka } from '../scripts/servers/start-kafka.ts';
import { startNats } from '../scripts/servers/start-nats.ts';
import { say } from './narrate.ts';
import { DemoError } from './run-to-the-end.ts';
import type { Scratch } from './scratch.ts';

/** What the nodes of the demo stand on: `host:port` each. */
export interface ClusterServers {
  readonly kafka: string;
  readonly nats: string;
}

/** Starts one Kafka broker and one nats-server in the scratch folder; they end with it. */
export async function startClusterServers(scratch: Scratch): Promise<ClusterServers> {
  const { signal } = scratch;
  try {
    const slow = setTimeout(() => say('Maven fetches the jars of Kafka, which takes a while, once …'), jarsPatienceMs);
    await endingWith(scratch, kafkaJars(signal), () => undefined).finally(() => clearTimeout(slow));
    const kafka = await endingWith(scratch, startKafka({ folder: path.join(scratch.folder, 'kafka'), signal }), (started) => started.stop());
    const nats = await endingWith(scratch, startNats({ folder: path.join(scratch.folder, 'nats') }), (started) => started.stop());
    return { kafka: kafka.brokers.join(','), nats: nats.url };
  } catch (cause) {
    throw new DemoError(cause instanceof Error ? cause.message.trimEnd() : String(cause), { cause });
  }
}

/** Jars that are there are found at once; longer than this they are being fetched. */
const jarsPatienceMs = 200;

/** What is being started when the demo is interrupted is ended too. */
async function endingWith<Server>(scratch: Scratch, starting: Promise<Server>, stop: (server: Server) => unknown): Promise<Server> {
  scratch.leave(() => starting.then(stop, () => undefined));
  const server = await starting;
  scratch.signal.throwIfAborted();
  return server;
}
