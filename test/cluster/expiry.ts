import test from 'ava';

import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { eventsOf, story } from '../acceptance/harness/events.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { refusalOf } from '../acceptance/harness/refused.ts';
import { answers, gives, inTurn } from '../acceptance/harness/source-server.ts';
import { awaitTasks, createImport } from '../acceptance/harness/tasks.ts';
import { awaitEvent } from './harness/await-event.ts';
import type { SharedCluster } from './harness/shared-cluster.ts';
import { TopicHand } from './harness/topic-hand.ts';

/** Tasks whose time comes, some of them at the same moment. */
const expiring = 20;

/** Tasks that fail twice before they succeed, so that each node has retries to wait for. */
const retrying = 5;

const image = rawDisk(64 * 1024, 1);
const ttl = { seconds: 2n, nanos: 0 };
/** Marks the tasks of this test. */
const labels = { of: 'expiry' };

/** How many records there are, and how many of them are events. */
interface Written {
  readonly records: number;
  readonly accepted: number;
}

async function written({ servers, cluster, three }: SharedCluster): Promise<Written> {
  let accepted = 0;
  for await (const { event } of three[2].api.streamEvents({})) if (event !== undefined) accepted += 1;
  const counts = await new TopicHand(servers, cluster).counts();
  return { accepted, records: counts.reduce((sum, count) => sum + count, 0) };
}

/** Registers the test. */
export function expiryTests(shared: SharedCluster): void {
  test.serial('of three nodes that see a time come one writes of it, and hardly any record is written in vain', async (t) => {
    const { source, three: nodes } = shared;
    const before = await written(shared);
    const good = source.serve('/good', gives(image.bytes));
    const flaky = (index: number): string => source.serve(`/flaky-${index}`, inTurn(answers(503), answers(503), gives(image.bytes)));
    const node = (index: number): LehrServer => nodes[index % nodes.length]!;
    const lasting = await Promise.all(Array.from({ length: retrying }, (_, index) =>
      createImport(node(index).api, flaky(index), { labels })));
    const passing = await Promise.all(Array.from({ length: expiring }, (_, index) =>
      createImport(node(index).api, good, { labels, ttl })));
    const ids = passing.map(({ id }) => id);
    const ended = await awaitTasks(nodes[0].api, lasting.map(({ id }) => id));
    t.deepEqual(ended.map(({ state, attempt }) => ({ state, attempt })), lasting.map(() => ({ state: 'STATE_SUCCEEDED', attempt: 3 })));
    await Promise.all(ids.map((id) => awaitEvent(nodes[1].api, `tasks/${id}`, ({ payload }) => payload?.$case === 'taskExpired')));

    for (const { api } of nodes) {
      for (const id of ids) {
        await awaitEvent(api, `tasks/${id}`, ({ payload }) => payload?.$case === 'taskExpired');
        t.is((await refusalOf(api.getTask({ id }))).reason, 'TASK_EXPIRED');
      }
      t.deepEqual((await api.listTasks({ filter: `labels.of = "${labels.of}"` })).tasks.map(({ id }) => id).toSorted(), lasting.map(({ id }) => id).toSorted());
    }
    for (const id of ids) t.deepEqual(story(await eventsOf(nodes[2].api, `tasks/${id}`)).filter((what) => what === 'taskExpired'), ['taskExpired']);
    const after = await written(shared);
    const [records, accepted] = [after.records - before.records, after.accepted - before.accepted];
    t.log(`${records - accepted} of ${records} records are void`);
    t.true(accepted > expiring + retrying && records - accepted < records / 10, `${records} records came, ${accepted} of them accepted`);
  });
}
