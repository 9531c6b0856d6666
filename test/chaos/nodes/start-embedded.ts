import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { nodeVictim } from '../faults/node-victim.ts';
import type { Ledger } from '../ledger.ts';
import { ChaosNode } from './chaos-node.ts';
import type { Deployment } from './deployment.ts';
import { nodeSettings } from './node-settings.ts';

/** One server with a log of its own, to try the run itself and what a single server makes of it. */
export async function startEmbedded(folder: string, ledger: Ledger): Promise<Deployment> {
  const exportsFolder = path.join(folder, 'exports');
  mkdirSync(exportsFolder);
  const node = new ChaosNode('node-1', path.join(folder, 'node-1'), nodeSettings(exportsFolder), ledger);
  node.start();
  return {
    nodes: [node],
    storeFolder: path.join(node.folder, 'store'),
    exportsFolder,
    victims: new Map([[node.name, nodeVictim(node)]]),
    lanes: [{ name: 'nodes', victims: [{ name: node.name, harms: ['kill', 'kill', 'pause', 'stop'] }], shortestGapMs: 1_000, longestGapMs: 5_000 }],
    makeNewcomer: () => undefined,
    stop: () => node.retire(),
  };
}
