import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startKafka, type KafkaCluster } from '../../scripts/servers/start-kafka.ts';
import { startNats, type NatsServer } from '../../scripts/servers/start-nats.ts';
import { startLehr, type LehrServer } from '../lehr-server.ts';

/** The topic of every benchmark, each of which has brokers of its own. */
export const benchTopic = 'lehr.bench';

/** Kafka's brokers get more memory than tests give them. */
const heapMiB = 768;

/** Real servers on this machine, and nodes of Lehr on them. */
export interface BenchCluster {
  readonly kafka: KafkaCluster;
  readonly nats: NatsServer;
  /** The data folder of the node of this name. */
  readonly dataDir: (name: string) => string;
  /** Starts `lehr serve` with a data folder by this name; resolves when it has caught up and serves. */
  readonly startNode: (name: string, settings?: Readonly<Record<string, string>>) => Promise<LehrServer>;
  /** Stops all nodes and kills the servers. */
  readonly stop: () => Promise<void>;
}

/** Starts Kafka with 1 or 3 brokers and NATS, with all data in `folder`, which is made. */
export async function startBenchCluster(folder: string, brokers: 1 | 3 = 1): Promise<BenchCluster> {
  mkdirSync(folder);
  const kafka = await startKafka({ folder: join(folder, 'kafka'), brokers, heapMiB, tunedFor: 'load' });
  const nats = await startNats({ folder: join(folder, 'nats') });
  const nodes: LehrServer[] = [];
  const dataDir = (name: string): string => join(folder, name);
  return {
    kafka,
    nats,
    dataDir,
    async startNode(name, settings = {}) {
      const node = await startLehr(dataDir(name), {
        log: 'kafka', 'kafka-brokers': kafka.brokers.join(','), 'kafka-topic': benchTopic, 'nats-servers': nats.url,
        'store-dir': join(folder, 'images'), 'log-level': 'error', ...settings,
      });
      nodes.push(node);
      return node;
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await Promise.all([kafka.stop(), nats.stop()]);
    },
  };
}
