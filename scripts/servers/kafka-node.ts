import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { runCommand } from '../run-command.ts';
import { askForBrokers, hasCoordinator } from './ask-kafka.ts';
import { createServerProcess } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

/** Formatting a folder takes half a second; longer than this it has failed. */
const FORMAT_TIMEOUT_MS = 60_000;

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
  const properties = { ...options.properties, 'log.dirs': path.join(folder, 'data') };
  await writeFile(file, Object.entries(properties).map(([key, value]) => `${key}=${value}\n`).join(''), { mode: 0o600 });

  const format = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', options.clusterId, '-c', file, ...options.formatArgs];
  const { succeeded, output } = await runCommand('java', [...options.java, ...format], { timeoutMs: FORMAT_TIMEOUT_MS });
  if (!succeeded) throw new Error(`The folder of broker ${nodeId} could not be formatted:\n${output}`);

  return createServerProcess({
    name: `Kafka broker ${nodeId}`,
    command: ['java', ...(options.brokerArgs ?? []), ...options.java, 'kafka.Kafka', file],
    logFile: path.join(folder, 'server.log'),
    discard: options.discard,
    isReady: async () => (await askForBrokers(options.internalPort)).includes(nodeId) && (await hasCoordinator(options.internalPort)),
  });
}
