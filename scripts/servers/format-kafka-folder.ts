import { randomBytes } from 'node:crypto';
import { access, copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { runCommand } from '../run-command.ts';
import { KAFKA_CACHE } from './kafka-jars.ts';

/** Formatting a folder takes half a second; longer than this it has failed. */
const FORMAT_TIMEOUT_MS = 60_000;

/** The features of a new cluster as the storage tool writes them, the same in every folder of one version of Kafka. */
const CHECKPOINT = 'bootstrap.checkpoint';

/** What a folder is formatted with. */
export type FormatKafkaFolderOptions = {
  readonly nodeId: number;
  /** Of the whole cluster. */
  readonly clusterId: string;
  /** The folder that `log.dirs` names. */
  readonly dataFolder: string;
  /** server.properties. */
  readonly propertiesFile: string;
  /** Arguments of `java` before the class's name. */
  readonly java: readonly string[];
  /** Arguments of the storage tool, such as the users that exist from the beginning. */
  readonly formatArgs: readonly string[];
};

const isThere = (file: string): Promise<boolean> => access(file).then(() => true, () => false);

/**
 * Makes the data folder of a broker, where that has not been done. Kafka's storage tool does it once, and whenever it is
 * given arguments; what it wrote then is copied, which spares a second of Java at each start. Two processes may do this at
 * the same time.
 */
export async function formatKafkaFolder(options: FormatKafkaFolderOptions): Promise<void> {
  const { clusterId, dataFolder, formatArgs, java, nodeId, propertiesFile } = options;
  const metaFile = path.join(dataFolder, 'meta.properties');
  if (await isThere(metaFile)) return;

  const kept = path.join(KAFKA_CACHE, CHECKPOINT);
  if (formatArgs.length === 0 && (await isThere(kept))) {
    await mkdir(dataFolder, { recursive: true });
    await copyFile(kept, path.join(dataFolder, CHECKPOINT));
    const meta = { version: 1, 'cluster.id': clusterId, 'node.id': nodeId, 'directory.id': directoryId() };
    await writeFile(metaFile, Object.entries(meta).map(([key, value]) => `${key}=${value}\n`).join(''));
    return;
  }

  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', propertiesFile, ...formatArgs];
  const { succeeded, output } = await runCommand('java', [...java, ...format], { timeoutMs: FORMAT_TIMEOUT_MS });
  if (!succeeded) throw new Error(`The folder of broker ${nodeId} could not be formatted:\n${output}`);
  if (formatArgs.length > 0) return;
  const beside = `${kept}.${process.pid}.${nodeId}`;
  await copyFile(path.join(dataFolder, CHECKPOINT), beside);
  await rename(beside, kept);
}

/** A UUID as Kafka writes it, in base64; not one that begins like a flag. */
function directoryId(): string {
  return `A${randomBytes(16).toString('base64url').slice(1, 22)}`;
}
