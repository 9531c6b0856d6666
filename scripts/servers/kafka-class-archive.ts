import { access, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import { kafkaIdentity } from './kafka-identity.ts';
import { kafkaJavaArgs } from './kafka-java.ts';
import { KAFKA_CACHE } from './kafka-jars.ts';
import { createKafkaNode } from './kafka-node.ts';
import { kafkaProperties } from './kafka-properties.ts';

/** Enough for a broker that nobody uses. */
const HEAP_MIB = 256;

/**
 * Gives the file of an archive of the broker's classes, with which Java starts it in about half the time, and makes it
 * where it is missing: one broker is started and ended, which takes some seconds once. Two processes may do this at the
 * same time. An archive that another version of Java made is passed over by Java; deleting `.cache` makes a new one.
 */
export async function kafkaClassArchive(lib: string): Promise<string> {
  const classArchive = path.join(KAFKA_CACHE, 'classes.jsa');
  if (await access(classArchive).then(() => true, () => false)) return classArchive;

  const folder = await mkdtemp(path.join(KAFKA_CACHE, 'archive-'));
  try {
    const made = path.join(folder, 'classes.jsa');
    const java = await kafkaJavaArgs({ lib, classArchive, heapMiB: HEAP_MIB, tunedFor: 'start' });
    const { clusterId, ports } = await kafkaIdentity(folder, 1);
    const [{ clients, internal } = { clients: 0, internal: 0 }] = ports;
    const node = await createKafkaNode({
      nodeId: 1,
      folder,
      java: java.filter((arg) => !arg.startsWith('-XX:SharedArchiveFile=')),
      brokerArgs: [`-XX:ArchiveClassesAtExit=${made}`],
      properties: kafkaProperties({ ports, index: 0, advertised: `127.0.0.1:${clients}`, protocol: 'PLAINTEXT', security: {} }),
      internalPort: internal,
      clusterId,
      formatArgs: [],
      discard: folder,
    });
    await node.start();
    await node.terminate();
    await rename(made, classArchive);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return classArchive;
}
