import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { runCommand } from '../run-command.ts';

/** The version of the broker, which pom.xml names too. */
const KAFKA_VERSION = '4.1.0';

/** Maven is given up after this time. */
const MAVEN_TIMEOUT_MS = 300_000;

const root = path.resolve(import.meta.dirname, '../..');

/** The ignored folder of this checkout for the broker's jars. */
export const KAFKA_CACHE = path.join(root, `.cache/kafka-${KAFKA_VERSION}`);

/** Holds the jars once {@link kafkaJars} has resolved; either all of them or it does not exist. */
export const KAFKA_LIB = path.join(KAFKA_CACHE, 'lib');

const isThere = (file: string): Promise<boolean> => access(file).then(() => true, () => false);

/**
 * Makes sure that the jars of the Kafka broker are in `.cache`, and gives their folder. Maven fetches them once, as
 * scripts/servers/pom.xml says, from where this machine's Maven is told to. Two processes may do this at the same time:
 * each downloads into a folder of its own, and the first that is done puts its folder into place. Rejects when `signal`
 * aborts, with nothing left behind.
 */
export async function kafkaJars(signal?: AbortSignal): Promise<string> {
  if (await isThere(KAFKA_LIB)) return KAFKA_LIB;
  await mkdir(KAFKA_CACHE, { recursive: true });
  const beside = await mkdtemp(path.join(KAFKA_CACHE, 'download-'));
  try {
    const pom = path.join(import.meta.dirname, 'pom.xml');
    const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${beside}`];
    const { succeeded, output } = await runCommand('mvn', args, { timeoutMs: MAVEN_TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) });
    signal?.throwIfAborted();
    if (!succeeded) throw new Error(`Maven could not fetch the jars of Kafka ${KAFKA_VERSION}:\n${output}`);
    await rename(beside, KAFKA_LIB).catch(async (error: unknown) => {
      if (!(await isThere(KAFKA_LIB))) throw error;
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
  return KAFKA_LIB;
}

if (import.meta.main) console.log(await kafkaJars());
