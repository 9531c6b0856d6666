import type { Random } from '../../simulation/random.ts';
import type { History } from '../history.ts';
import type { Ledger } from '../ledger.ts';
import type { ChaosClient } from '../load/chaos-client.ts';
import type { ChaosSources } from '../load/chaos-sources.ts';
import { doorsOf } from '../load/doors-of.ts';
import type { Watcher } from '../load/watcher.ts';
import type { Deployment } from '../nodes/deployment.ts';
import { checkAnswers } from './check-answers.ts';
import { checkChains, checkSameEvents } from './check-chains.ts';
import { checkExports } from './check-exports.ts';
import { checkHistory } from './check-history.ts';
import { checkImages } from './check-images.ts';
import { checkMemory } from './check-memory.ts';
import { checkNewcomer } from './check-newcomer.ts';
import { checkProjections } from './check-projections.ts';
import { checkStore, storeFaults } from './check-store.ts';
import { checkTasks } from './check-tasks.ts';
import { checkVerified } from './check-verified.ts';
import { checkWatchers } from './check-watchers.ts';
import { probeNodes } from './probe-nodes.ts';
import { readLog } from './read-log.ts';
import type { ReadLog } from './read-log.ts';
import { readBackAll } from './read-back-all.ts';
import { settle } from './settle.ts';

/** What a run has left to be checked. */
export interface Run {
  readonly ledger: Ledger;
  readonly history: History;
  readonly client: ChaosClient;
  readonly sources: ChaosSources;
  readonly deployment: Deployment;
  readonly watchers: readonly Watcher[];
  readonly random: Random;
}

/** Everything that must hold once there is no load any more and all is healed. Stops the nodes on its way. */
export async function checkRun(run: Run): Promise<void> {
  const { ledger, deployment: { nodes } } = run;
  await probeNodes(run);
  await settle(ledger, nodes);
  const log = await checkWhatIsTold(run);
  const newcomer = await checkNewcomer(run, log);
  const stopped = newcomer === undefined ? nodes : [...nodes, newcomer];
  await Promise.all(stopped.map((node) => node.stop()));
  ledger.note('all nodes have stopped');
  checkStore(ledger, storeFaults(run.deployment.storeFolder, log));
  checkExports(ledger, log, run.deployment.exportsFolder);
  checkProjections(ledger, stopped);
  for (const node of stopped) checkMemory(ledger, node);
}

/** What the nodes tell while they run; gives the log as the first of them tells it. */
async function checkWhatIsTold({ ledger, history, client, sources, deployment: { nodes }, watchers, random }: Run): Promise<ReadLog> {
  await readBackAll(history, client, nodes);
  const [first, ...others] = await Promise.all(doorsOf(nodes).map(async ({ name, api }) => ({ name, log: await readLog(api) })));
  if (first === undefined) throw new Error('no node is ready');
  const { name, log } = first;
  ledger.count('events', [...log.values()].reduce((total, events) => total + events.length, 0));
  for (const other of others) checkSameEvents(ledger, name, log, other.name, other.log);
  checkChains(ledger, log);
  checkTasks(ledger, log, (url) => sources.digestOf(url));
  for (const operations of history.perRequest()) checkAnswers(ledger, log, operations);
  checkHistory(ledger, history, log);
  await checkVerified(ledger, doorsOf(nodes));
  await checkImages(ledger, log, nodes.flatMap(({ httpUrl }) => httpUrl ?? []), random);
  await checkWatchers(ledger, watchers, log, [...history.acknowledged.values()].map(({ id }) => id));
  return log;
}
