import test from 'ava';

import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { eventsOf, story } from '../acceptance/harness/events.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { refusalOf } from '../acceptance/harness/refused.ts';
import { answers, gives, inTurn, startSource } from '../acceptance/harness/source-server.ts';
import { awaitTasks, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { awaitEvent } from './harness/await-event.ts';
import { Cluster } from './harness/cluster.ts';
import { TopicHand } from './harness/topic-hand.ts';
import { canCluster, sharedServers } from './harness/with-servers.ts';

/** Tasks whose time comes, some of them at the same moment. */
const expiring = 20;

/** Tasks that fail twice before they succeed, so that each node has retries to wait for. */
const retrying = 5;

const image = rawDisk(64 * 1024, 1);
const ttl = { seconds: 2n, nanos: 0 };

const shared = new Teardowns();
let cluster: Cluster;
let nodes: readonly [LehrServer, LehrServer, LehrServer];

if (canCluster) {
  test.before(async (t) => {
    cluster = await Cluster.make(shared, await sharedServers(t));
    nodes = await cluster.startAll('a', 'b', 'c');
  });

  test.afterEach.always((t) => cluster.explain(t));
  test.after.always(() => shared.run());

  test('of three nodes that see a time come one writes of it, and hardly any record is written in vain', async (t) => {
    const source = await startSource(t);
    const good = source.serve('/good', gives(image.bytes));
    const flaky = (index: number): string => source.serve(`/flaky-${index}`, inTurn(answers(503), answers(503), gives(image.bytes)));
    const node = (index: number): LehrServer => nodes[index % nodes.length]!;
    const lasting = await Promise.all(Array.from({ length: retrying }, (_, index) => createImport(node(index).api, flaky(index))));
    const passing = await Promise.all(Array.from({ length: expiring }, (_, index) => createImport(node(index).api, good, { ttl })));
    const ids = passing.map(({ id }) => id);
    const ended = await awaitTasks(nodes[0].api, lasting.map(({ id }) => id));
    t.deepEqual(ended.map(({ state, attempt }) => ({ state, attempt })), lasting.map(() => ({ state: 'STATE_SUCCEEDED', attempt: 3 })));
    await Promise.all(ids.map((id) => awaitEvent(nodes[1].api, `tasks/${id}`, ({ payload }) => payload?.$case === 'taskExpired')));

    for (const { api } of nodes) {
      for (const id of ids) {
        await awaitEvent(api, `tasks/${id}`, ({ payload }) => payload?.$case === 'taskExpired');
        t.is((await refusalOf(api.getTask({ id }))).reason, 'TASK_EXPIRED');
      }
      t.deepEqual((await api.listTasks({})).tasks.map(({ id }) => id).toSorted(), lasting.map(({ id }) => id).toSorted());
    }
    let accepted = 0;
    for await (const { event } of nodes[2].api.streamEvents({})) if (event !== undefined) accepted += 1;
    for (const id of ids) t.deepEqual(story(await eventsOf(nodes[2].api, `tasks/${id}`)).filter((what) => what === 'taskExpired'), ['taskExpired']);
    const written = (await new TopicHand(await sharedServers(t), cluster).counts()).reduce((sum, count) => sum + count, 0);
    t.log(`${written - accepted} of ${written} records are void`);
    t.true(written - accepted < written / 10, `${written} records in the topic, ${accepted} of them accepted`);
  });
}
