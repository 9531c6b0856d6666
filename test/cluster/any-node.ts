import test from 'ava';

import type { Progress } from '../../src/gen/lehr/v1/task.ts';
import { digestOf, rawDisk } from '../acceptance/harness/disk-images.ts';
import { story } from '../acceptance/harness/events.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { refusalOf } from '../acceptance/harness/refused.ts';
import { gives, trickles } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport, importFrom } from '../acceptance/harness/tasks.ts';
import { eventually } from './harness/eventually.ts';
import { runnerOf } from './harness/runner-of.ts';
import type { SharedCluster } from './harness/shared-cluster.ts';
import { patienceMs, within } from './harness/within.ts';

/** So often each race between nodes is run. */
const rounds = 12;

/** A transfer stops this soon after another node has answered its cancel. */
const stopWithinMs = 2_000;

const image = rawDisk(256 * 1024, 1);

/** The nodes, each round another one first. */
function turned([a, b, c]: SharedCluster['three'], round: number): SharedCluster['three'] {
  return ([[a, b, c], [b, c, a], [c, a, b]] as const)[round % 3]!;
}

/** Ids of what a list shows. */
const idsOf = (items: readonly { readonly id: string }[]): readonly string[] => items.map(({ id }) => id);

/** Progress of a task as a watch on a node tells it, until it has told so many times. */
async function watchedProgress({ api }: LehrServer, id: string, times: number): Promise<readonly Progress[]> {
  const told: Progress[] = [];
  for await (const { message } of api.watchTasks({})) {
    if (message?.$case === 'progress' && message.value.id === id) told.push(message.value.progress!);
    if (told.length === times) return told;
  }
  throw new Error('the watch ended');
}

/** Registers the tests. */
export function anyNodeTests(shared: SharedCluster): void {
  test.serial('what one node accepted the others show at once to who brings its read token', async (t) => {
    const { source, three: nodes } = shared;
    const gate = new Gate(image.bytes);
    const url = source.serve('/accepted', gate.behaviour);
    for (let round = 0; round < rounds; round += 1) {
      const [first, ...others] = turned(nodes, round);
      const { task, readToken } = await first.api.createTask({ ...importFrom(url), labels: { round: `accepted-${round}` } });
      const { id } = task!;
      await Promise.all(others.map(async ({ api }) => {
        t.is((await api.getTask({ id, readToken })).task?.id, id);
        t.deepEqual(idsOf((await api.listTasks({ filter: `labels.round = "accepted-${round}"`, readToken })).tasks), [id]);
        t.is((await api.listEvents({ subject: `tasks/${id}`, readToken })).events[0]?.payload?.$case, 'taskCreated');
      }));
      await first.api.cancelTask({ id });
    }
  });

  test.serial('an image that one node imported is shown, changed, read and deleted on any other', async (t) => {
    const { source, three: nodes } = shared;
    const url = source.serve('/imported', gives(image.bytes));
    for (let round = 0; round < 3; round += 1) {
      const [first, second, third] = turned(nodes, round);
      const { id } = await createImport(first.api, url, {}, { expectedDigest: image.digest });
      t.is((await awaitTask(second.api, id)).state, 'STATE_SUCCEEDED');
      // At once: these nodes may not have read yet what the second one has.
      const changed = await third.api.updateImage({ image: { id, name: `round ${round}` }, updateMask: ['name'] });
      t.is(changed.image?.name, `round ${round}`);
      for (const { api, httpUrl } of nodes) {
        const read = { readToken: changed.readToken };
        t.is((await api.getImage({ id, ...read })).image?.name, `round ${round}`);
        t.true(idsOf((await api.listImages({ pageSize: 1_000, ...read })).images).includes(id));
        t.deepEqual(story((await api.listEvents({ subject: `images/${id}`, ...read })).events), ['imageRegistered', 'imageUpdated']);
        t.is(digestOf(await (await fetch(`${httpUrl}/images/${id}/data`)).bytes()), image.digest);
        const pieces: Uint8Array[] = [];
        for await (const { data } of api.readImage({ id })) pieces.push(data);
        t.is(digestOf(Buffer.concat(pieces)), image.digest);
      }
      const { readToken } = await first.api.deleteImage({ id });
      for (const { api } of nodes) {
        t.is((await refusalOf(api.getImage({ id, readToken }))).code, 'NOT_FOUND');
        t.is((await refusalOf(api.readImage({ id }).next())).code, 'NOT_FOUND');
      }
    }
  });

  test.serial('every node tells the progress of a transfer, and each can stop it', async (t) => {
    const { source, three: nodes } = shared;
    for (let round = 0; round < 3; round += 1) {
      const left = Promise.withResolvers<void>();
      const url = source.serve(`/progress-${round}`, (response, request, count) => {
        response.once('close', () => left.resolve());
        trickles(image.bytes, 16 * 1024)(response, request, count);
      });
      const { id } = await createImport(turned(nodes, round)[0].api, url);
      const told = await within(patienceMs, 'progress', Promise.all(nodes.map((node) => watchedProgress(node, id, 3))));
      for (const progress of told) {
        t.deepEqual(progress.map(({ stage, bytesTotal }) => ({ stage, bytesTotal })), progress.map(() => ({ stage: 'fetch', bytesTotal: BigInt(image.bytes.length) })));
        t.true(progress[0]!.bytesDone < progress[2]!.bytesDone, 'it grows');
      }
      for (const { api } of nodes) {
        const { task } = await eventually('GetTask tells the progress', () => api.getTask({ id }), ({ task: seen }) => seen?.progress !== undefined);
        t.is(task?.progress?.stage, 'fetch');
      }
      const { others } = await runnerOf(nodes, id);
      const { task, readToken } = await others[0]!.api.cancelTask({ id });
      const answeredMs = performance.now();
      t.true(task?.cancelRequested);
      await within(patienceMs, 'the source sees its reader leave', left.promise);
      t.true(performance.now() - answeredMs < stopWithinMs, 'the transfer stopped soon after the cancel was answered');
      t.is((await awaitTask(others[1]!.api, id)).state, 'STATE_CANCELED');
      for (const { api } of nodes) {
        const seen = (await api.getTask({ id, readToken })).task;
        t.true(seen?.state === 'STATE_CANCELED' || seen?.cancelRequested === true);
      }
    }
  });
}
