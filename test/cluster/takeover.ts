import test from 'ava';
import type { ExecutionContext } from 'ava';

import { heartbeatEveryMs, silenceLimitMs } from '../../src/jobs/liveness.ts';
import type { DeathReason } from '../../src/jobs/liveness.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { eventsOf, story } from '../acceptance/harness/events.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import { servedImages } from '../acceptance/harness/inventory.ts';
import { logLines } from '../acceptance/harness/lehr-server.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { awaitTasks, createImport } from '../acceptance/harness/tasks.ts';
import { eventually } from './harness/eventually.ts';
import { runnerOf } from './harness/runner-of.ts';
import type { SharedCluster } from './harness/shared-cluster.ts';
import { settledFiles } from './harness/store-files.ts';

/** Imports that are under way when a node goes. */
const imports = 5;

const image = rawDisk(256 * 1024, 1);

interface UnderWay {
  /** The node that goes, and its name. */
  readonly victim: LehrServer;
  readonly name: string;
  readonly incarnation: string;
  /** Ids of all imports, and of those that the victim runs. */
  readonly all: readonly string[];
  readonly its: readonly string[];
  /** Lets all imports end. */
  readonly open: () => void;
}

/** Imports that stand in the middle of their fetch, each on some node. */
async function underWay(t: ExecutionContext, { nodes, source }: SharedCluster, name: string): Promise<UnderWay> {
  const gate = new Gate(image.bytes);
  t.teardown(() => { gate.open(); });
  const url = source.serve(`/${name}`, gate.behaviour);
  const [first] = nodes.values();
  const create = () => createImport(first!.api, url, {}, { expectedDigest: image.digest });
  const tasks = await Promise.all(Array.from({ length: imports }, create));
  const all = tasks.map(({ id }) => id);
  const runs = await Promise.all(all.map((id) => runnerOf([...nodes.values()], id)));
  const { runner: victim, incarnation } = runs[0]!;
  const [victimName] = [...nodes].find(([, node]) => node === victim)!;
  const its = all.filter((_, index) => runs[index]!.runner === victim);
  return { victim, name: victimName, incarnation, all, its, open: () => gate.open() };
}

/** Why those nodes that judged a life of a node dead did so: at least one of them. */
async function reasonsOf(judges: readonly LehrServer[], incarnation: string): Promise<readonly DeathReason[]> {
  const look = async (): Promise<readonly DeathReason[]> => judges.flatMap((node) => logLines(node))
    .filter((line) => line['msg'] === 'a node is gone; its tasks are taken over' && line['incarnation'] === incarnation)
    .map(({ reason }) => reason as DeathReason);
  return [...new Set(await eventually('a node says that this one is gone', look, (reasons) => reasons.length > 0))];
}

/** All imports succeeded, those of the victim in a second attempt; the others were not disturbed. Nothing else is left of them. */
async function assertAllEndedWell(t: ExecutionContext, { cluster, nodes }: SharedCluster, { all, its }: UnderWay): Promise<void> {
  const node = [...nodes.values()][0]!;
  const tasks = await awaitTasks(node.api, all);
  t.deepEqual(
    tasks.map(({ state, attempt, failure }) => ({ state, attempt, failure })),
    all.map((id) => ({ state: 'STATE_SUCCEEDED', attempt: its.includes(id) ? 2 : 1, failure: undefined })),
  );
  const stage = ['stageCompleted fetch', 'stageCompleted inspect', 'imageStored', 'taskSucceeded'];
  for (const id of all) {
    const attempts = its.includes(id) ? ['attemptStarted', 'attemptStarted'] : ['attemptStarted'];
    t.deepEqual(story(await eventsOf(node.api, `tasks/${id}`)), ['taskCreated', ...attempts, ...stage]);
  }
  const served = await servedImages(node);
  t.deepEqual(all.map((id) => served.get(id)), all.map(() => image.digest));
  t.deepEqual((await settledFiles(cluster, all)).images, all.map((id) => `${id}.${its.includes(id) ? 2 : 1}`).toSorted());
}

/** What the victim ran is taken over by nodes that live, because of that, and then everything ends well. */
async function assertTakenOver(t: ExecutionContext, shared: SharedCluster, under: UnderWay, ...because: DeathReason[]): Promise<void> {
  const survivors = [...shared.nodes.values()];
  for (const id of under.its) await runnerOf(survivors, id, 2);
  const reasons = await reasonsOf(survivors, under.incarnation);
  t.deepEqual(reasons.filter((reason) => !because.includes(reason)), []);
  under.open();
  await assertAllEndedWell(t, shared, under);
}

/** Registers the tests, which leave one node. */
export function takeoverTests(shared: SharedCluster): void {
  test.serial('what a node was doing that was killed is taken over as soon as it lives again', async (t) => {
    const under = await underWay(t, shared, 'restarted');
    const { victim, name } = under;
    const { nodes } = shared;
    const startedMs = performance.now();
    await victim.kill('SIGKILL');
    nodes.set(name, await shared.cluster.start(name));
    const tookMs = performance.now() - startedMs;
    // A machine that needs longer to start a node than the others wait for it shows nothing here.
    const isLate = tookMs > silenceLimitMs - heartbeatEveryMs;
    if (isLate) t.log(`the new life began only after ${Math.round(tookMs)} ms`);
    await assertTakenOver(t, shared, under, 'restarted', ...(isLate ? ['silent' as const] : []));
  });

  test.serial('what a node was doing that was killed is taken over by others, and the rest is not disturbed', async (t) => {
    const under = await underWay(t, shared, 'killed');
    const { victim, name } = under;
    const { nodes } = shared;
    nodes.delete(name);
    await victim.kill('SIGKILL');
    await assertTakenOver(t, shared, under, 'silent');
  });

  test.serial('what a node was doing that was asked to stop is taken over as soon as it has gone', async (t) => {
    const under = await underWay(t, shared, 'stopped');
    const { victim, name } = under;
    const { nodes } = shared;
    nodes.delete(name);
    t.deepEqual(await victim.kill('SIGTERM'), { code: 0, signal: null });
    await assertTakenOver(t, shared, under, 'stopped');
  });
}
