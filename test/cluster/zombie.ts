import test from 'ava';

import type { Task } from '../../src/gen/lehr/v1/task.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { eventsOf } from '../acceptance/harness/events.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import { servedImages } from '../acceptance/harness/inventory.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { trickles } from '../acceptance/harness/source-server.ts';
import { awaitTask, awaitTasks, createImport } from '../acceptance/harness/tasks.ts';
import { runnerOf } from './harness/runner-of.ts';
import type { SharedCluster } from './harness/shared-cluster.ts';
import { settledFiles } from './harness/store-files.ts';
import { patienceMs, within } from './harness/within.ts';

/** Imports that are held in the middle of their fetch, and such as end by themselves while the node is stopped, each at another time. */
const held = 5;
const slow = 5;

const image = rawDisk(256 * 1024, 1);

/** The attempts that wrote of themselves on a task's stream, in order: each stage, and the image. */
async function attemptsOf({ api }: LehrServer, id: string): Promise<Readonly<Record<'stages' | 'stored', readonly number[]>>> {
  const events = await eventsOf(api, `tasks/${id}`);
  const numbers = (what: 'stageCompleted' | 'imageStored'): number[] =>
    events.flatMap(({ payload }) => (payload?.$case === what ? [(payload.value as { readonly attempt: number }).attempt] : []));
  return { stages: numbers('stageCompleted'), stored: numbers('imageStored') };
}

/** Registers the test; every node works on so many transfers at once. */
export function zombieTests(shared: SharedCluster, transfers: number): void {
  test.serial('a node that was stopped for longer than its lease damages nothing when it wakes, and works on', async (t) => {
    const { cluster, source, three: nodes } = shared;
    const gate = new Gate(image.bytes);
    const heldUrl = source.serve('/held', gate.behaviour);
    const create = (url: string): Promise<Task> => createImport(nodes[0].api, url, {}, { expectedDigest: image.digest });
    const heldTasks = await Promise.all(Array.from({ length: held }, () => create(heldUrl)));
    const { runner: zombie, others } = await runnerOf(nodes, heldTasks[0]!.id);
    await within(patienceMs, 'half of the image is sent', gate.asked);
    const slowTasks = await Promise.all(Array.from({ length: slow }, (_, index) =>
      create(source.serve(`/slow-${index}`, trickles(image.bytes, (index + 1) * 128 * 1024)))));
    const all = [...heldTasks, ...slowTasks].map(({ id }) => id);
    await within(patienceMs, 'one of them is stored', Promise.race(slowTasks.map(({ id }) =>
      awaitTask(others[0]!.api, id, ({ state }) => state === 'STATE_SUCCEEDED'))));
    zombie.process.child.kill('SIGSTOP');

    // The transfers of the node that sleeps get their second half too: it lies there when it wakes.
    await runnerOf(others, heldTasks[0]!.id, 2);
    gate.open();
    const ended = await awaitTasks(others[0]!.api, all);
    t.deepEqual(ended.map(({ state }) => state), all.map(() => 'STATE_SUCCEEDED'));
    const stored = ended.map(({ id, attempt }) => `${id}.${attempt}`).toSorted();
    t.true(ended[0]!.attempt > 1, 'at least one was taken over');
    const revisions = ended.map(({ revision }) => revision);

    zombie.process.child.kill('SIGCONT');
    // It must work again: the others have no room for all of these.
    const full = new Gate(image.bytes);
    const fullUrl = source.serve('/full', full.behaviour);
    const more = await Promise.all(Array.from({ length: 3 * transfers }, () => create(fullUrl)));
    const runners = await Promise.all(more.map(async ({ id }) => (await runnerOf([zombie, ...others], id)).runner));
    t.is(runners.filter((runner) => runner === zombie).length, transfers);
    full.open();
    const moreEnded = await awaitTasks(zombie.api, more.map(({ id }) => id));
    t.deepEqual(moreEnded.map(({ state, attempt }) => ({ state, attempt })), more.map(() => ({ state: 'STATE_SUCCEEDED', attempt: 1 })));

    t.deepEqual((await settledFiles(cluster, all)).images, stored);
    for (const node of [zombie, ...others]) {
      const served = await servedImages(node);
      t.deepEqual(all.map((id) => served.get(id)), all.map(() => image.digest));
      t.is((await fetch(`${node.httpUrl}/readyz`)).status, 200);
    }
    for (const [index, id] of all.entries()) {
      t.is((await zombie.api.getTask({ id })).task?.revision, revisions[index], 'nothing came after the end');
      const { attempt } = ended[index]!;
      const told = await attemptsOf(zombie, id);
      t.deepEqual(told.stored, [attempt]);
      t.deepEqual(told.stages.toSorted(), told.stages, 'no attempt wrote of itself after it was taken over');
    }
  });
}
