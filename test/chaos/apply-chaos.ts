import type { Teardowns } from '../acceptance/harness/teardowns.ts';
import { Random } from '../simulation/random.ts';
import type { Run } from './checks/check-run.ts';
import { planFaults } from './faults/plan-faults.ts';
import { runFaults } from './faults/run-faults.ts';
import { History } from './history.ts';
import type { Ledger } from './ledger.ts';
import { ChaosClient } from './load/chaos-client.ts';
import type { ChaosSources } from './load/chaos-sources.ts';
import { doorsOf } from './load/doors-of.ts';
import { runLoad } from './load/load.ts';
import { Watcher } from './load/watcher.ts';
import type { ChaosNode } from './nodes/chaos-node.ts';
import type { Deployment } from './nodes/deployment.ts';
import { readyLimitMs } from './nodes/ready-limit.ts';
import type { ChaosOptions } from './run-chaos.ts';

/** Memory is looked at so often. */
const memoryEveryMs = 500;

/** How much of the end of a node's output is quoted. */
const quotedChars = 2_000;

/** What load and faults are made with. */
export interface ChaosDeps {
  readonly options: Pick<ChaosOptions, 'durationMs' | 'longestFaultMs' | 'tasksPerSecond'>;
  readonly ledger: Ledger;
  readonly deployment: Deployment;
  readonly sources: ChaosSources;
  readonly random: Random;
  readonly undo: Teardowns;
}

/** Waits until the nodes are ready, and then has load and faults side by side; resolves when both are over and everything is healed. */
export async function applyChaos({ options, ledger, deployment, sources, random, undo }: ChaosDeps): Promise<Run> {
  const { nodes, lanes, victims } = deployment;
  for (const node of nodes) {
    if (!await node.ready(readyLimitMs)) throw new Error(`${node.name} was not ready in time:\n${node.output.slice(-quotedChars)}`);
  }
  ledger.note('all nodes are ready');
  const memory = setInterval(() => { for (const node of nodes) node.sampleMemory(); }, memoryEveryMs);
  undo.teardown(() => { clearInterval(memory); });
  const watchers = await watchAll(nodes, ledger, undo);
  const history = new History(ledger);
  const client = new ChaosClient(history);
  const ofLoad = new Random(random.between(0, 2 ** 31));
  const plans = lanes.map((lane) => planFaults(random, lane, options.durationMs, options.longestFaultMs));
  const ending = AbortSignal.timeout(options.durationMs);
  const { exportsFolder } = deployment;
  const load = runLoad({ client, sources, exportsFolder, doors: () => doorsOf(nodes) }, ofLoad, options.tasksPerSecond, ending);
  const struck = new Set<string>();
  await Promise.all(plans.map((plan) => runFaults(plan, victims, struck, ledger, ending)));
  await load;
  const { seconds, fromSeconds } = history.longestSilence;
  ledger.note(`the load is over and everything is healed; the longest time without an acknowledgement was ${seconds} s, from ${fromSeconds} s on`);
  ledger.count('s, the longest without an acknowledgement', seconds);
  return { ledger, history, client, sources, deployment, watchers, random };
}

/** A watch on each node, which goes on at another one while its own is away. */
async function watchAll(nodes: readonly ChaosNode[], ledger: Ledger, undo: Teardowns): Promise<readonly Watcher[]> {
  const ending = new AbortController();
  undo.teardown(() => { ending.abort(); });
  const watchers = nodes.map((node) => new Watcher(node.name, () => doorsOf([node, ...nodes])[0], ledger));
  for (const watcher of watchers) void watcher.run(ending.signal);
  await Promise.all(watchers.map(({ begun }) => begun));
  return watchers;
}
