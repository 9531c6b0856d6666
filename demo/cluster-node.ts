import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { ClusterServers } from './cluster-servers.ts';
import type { Scratch } from './scratch.ts';
import { startService } from './start-service.ts';
import type { Service } from './start-service.ts';

/** A node of the demo's cluster. */
export interface ClusterNode {
  readonly number: number;
  /** Its name for a person. */
  readonly name: string;
  readonly service: Service;
  /** Its life, as the events name it. */
  readonly incarnation: () => string;
}

/** The folder that all nodes share, in the scratch folder. */
export const imagesFolder = (scratchFolder: string): string => path.join(scratchFolder, 'images');

/** Starts the node of this number, or starts it again on the data that its last life has left. */
export async function startClusterNode(scratch: Scratch, { kafka, nats }: ClusterServers, number: number): Promise<ClusterNode> {
  const dataDir = path.join(scratch.folder, `node-${number}`);
  const service = await startService(scratch, {
    log: 'kafka', 'kafka-brokers': kafka, 'nats-servers': nats, 'store-dir': imagesFolder(scratch.folder), 'data-dir': dataDir,
  });
  return {
    number, service, name: `node ${number}`,
    incarnation() {
      const { node, generation } = JSON.parse(readFileSync(path.join(dataDir, 'node.json'), 'utf8')) as { node: string; generation: number };
      return `${node}.${generation}`;
    },
  };
}
