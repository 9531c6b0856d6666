import { setTimeout as sleep } from 'node:timers/promises';

import { doorsOf } from '../load/doors-of.ts';
import type { ChaosNode } from '../nodes/chaos-node.ts';
import { readyLimitMs } from '../nodes/ready-limit.ts';
import type { Run } from './check-run.ts';
import { checkSameEvents } from './check-chains.ts';
import { storeFaults } from './check-store.ts';
import { checkVerified } from './check-verified.ts';
import { readLog } from './read-log.ts';
import type { ReadLog } from './read-log.ts';

/** A node that starts sweeps the store; that is over after so long. */
const sweepLimitMs = 15_000;

const lookEveryMs = 100;

/**
 * A node that starts on an empty folder reads the log from its beginning and then tells what the others tell. Where there can be but
 * one node, that one starts anew instead. Either sweeps the store, so that what a dead node has left there goes.
 */
export async function checkNewcomer({ ledger, deployment }: Run, log: ReadLog): Promise<ChaosNode | undefined> {
  const { nodes, storeFolder } = deployment;
  const newcomer = deployment.makeNewcomer();
  const before = storeFaults(storeFolder, log);
  ledger.count('files for the sweep', before.staged.length + before.strangers.length);
  if (newcomer === undefined) await Promise.all(nodes.map((node) => node.stop()));
  for (const node of newcomer === undefined ? nodes : [newcomer]) {
    node.start();
    if (!await node.ready(readyLimitMs)) ledger.violate('a node that starts becomes ready', node.name);
    node.sampleMemory();
    for (const { name, api } of doorsOf([node])) checkSameEvents(ledger, 'the log', log, name, await readLog(api));
    await checkVerified(ledger, doorsOf([node]));
  }
  for (const endMs = performance.now() + sweepLimitMs; performance.now() < endMs; await sleep(lookEveryMs)) {
    const { staged, strangers } = storeFaults(storeFolder, log);
    if (staged.length + strangers.length === 0) break;
  }
  return newcomer;
}
