import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { askForBrokers, hasCoordinator } from './ask-kafka.ts';
import { formatKafkaFolder } from './format-kafka-folder.ts';
import { createServerProcess } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

/** One broker before its start. */
export type KafkaNodeOptions = {
  readonly nodeId: number;
  /** Of the node alone; kept between starts. */
  readonly folder: string;
  /** Arguments of `java` before the class's name. */
  readonly java: readonly string[];
  /** More of them, for the broker alone. */
  readonly brokerArgs?: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  /** The port of the plaintext listener between brokers. */
  readonly internalPort: number;
  /** Of the whole cluster. */
  readonly clusterId: string;
  /** Arguments of the storage tool, such as the users that exist from the beginning. */
  readonly formatArgs: readonly string[];
  /** A temporary folder that disappears when this process dies. */
  readonly discard: string | undefined;
};

/** Formats the node's folder, where that has not been done, and gives the process of the broker, not started yet. */
export async function createKafkaNode(options: KafkaNodeOptions): Promise<ServerProcess> {
  const { folder, nodeId } = options;
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'server.properties');
  const dataFolder = path.join(folder, 'data');
  const properties = { ...options.properties, 'log.dirs': dataFolder };
  await writeFile(file, Object.entries(properties).map(([key, value]) => `${key}=${value}\n`).join(''), { mode: 0o600 });

  const { clusterId, formatArgs, java } = options;
  await formatKafkaFolder({ nodeId, clusterId, dataFolder, propertiesFile: file, java, formatArgs });

  return createServerProcess({
    name: `Kafka broker ${nodeId}`,
    command: ['java', ...(options.brokerArgs ?? []), ...java, 'kafka.Kafka', file],
    logFile: path.join(folder, 'server.log'),
    discard: options.discard,
    isReady: async () => (await askForBrokers(options.internalPort)).includes(nodeId) && (await hasCoordinator(options.internalPort)),
  });
}
