import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { freePorts } from './free-ports.ts';
import type { KafkaPorts } from './kafka-properties.ts';

/** What stays the same when a cluster is started again on its folder. */
export type KafkaIdentity = {
  readonly clusterId: string;
  /** Of all brokers in the order of their ids. */
  readonly ports: readonly KafkaPorts[];
};

/** The storage tool would take an id that begins with a hyphen for a flag. */
function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('base64url');
}

async function newPorts(brokers: number): Promise<readonly KafkaPorts[]> {
  const ports = await freePorts(brokers * 3);
  return Array.from({ length: brokers }, (_, index) => {
    const [clients = 0, internal = 0, controller = 0] = ports.slice(index * 3);
    return { clients, internal, controller };
  });
}

/** The identity of the cluster in `folder`, or a new one, which is kept there. Rejects where it has another number of brokers. */
export async function kafkaIdentity(folder: string, brokers: number): Promise<KafkaIdentity> {
  const file = path.join(folder, 'cluster.json');
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  const identity = kept === undefined ? { clusterId: newClusterId(), ports: await newPorts(brokers) } : (JSON.parse(kept) as KafkaIdentity);
  if (identity.ports.length !== brokers) throw new Error(`${folder} holds a cluster of ${identity.ports.length} brokers, not ${brokers}.`);
  await writeFile(file, JSON.stringify(identity));
  return identity;
}
