import test from 'ava';

import { connectCall } from '../acceptance/harness/connect-call.ts';
import { digestOf, rawDisk } from '../acceptance/harness/disk-images.ts';
import { eventsOf } from '../acceptance/harness/events.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { refusalOf } from '../acceptance/harness/refused.ts';
import { scrape } from '../acceptance/harness/scrape.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, awaitTasks, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { Cluster } from './harness/cluster.ts';
import { runnerOf } from './harness/runner-of.ts';
import { canCluster, sharedServers } from './harness/with-servers.ts';

const image = rawDisk(64 * 1024, 1);

const shared = new Teardowns();
let cluster: Cluster;
/** One that only answers calls, and one that has no hands for work. */
let answering: LehrServer;
let handless: LehrServer;
let source: SourceServer;

if (canCluster) {
  test.before(async (t) => {
    source = await startSource(shared);
    cluster = await Cluster.make(shared, await sharedServers(t));
    [answering, handless] = await Promise.all([cluster.start('answering', { roles: 'api' }), cluster.start('handless', { workers: '0' })]);
  });

  test.afterEach.always((t) => cluster.explain(t));
  test.after.always(() => shared.run());

  test('tasks wait for a node that works, which does all that others accept and answers nobody', async (t) => {
    const url = source.serve('/disk', gives(image.bytes));
    const early = await Promise.all([answering, handless].map(({ api }) => createImport(api, url)));
    // A cancel shows that both nodes do what they are for, and that a task which waits is not being worked on.
    for (const { api } of [answering, handless]) {
      const { task } = await api.cancelTask({ id: (await createImport(api, url)).id });
      t.deepEqual({ state: task?.state, attempt: task?.attempt }, { state: 'STATE_CANCELED', attempt: 0 });
    }
    t.is(source.count('/disk'), 0);

    const working = await cluster.start('working', { roles: 'worker' });
    const late = await Promise.all([answering, handless].map(({ api }) => createImport(api, url)));
    const ids = [...early, ...late].map(({ id }) => id);
    t.deepEqual((await awaitTasks(answering.api, ids)).map(({ state }) => state), ids.map(() => 'STATE_SUCCEEDED'));
    for (const id of ids) t.is((await runnerOf([answering, handless, working], id)).runner, working);
    t.is((await awaitTask(handless.api, ids[0]!)).result?.digest, image.digest);
    t.is(digestOf(await (await fetch(`${answering.httpUrl}/images/${ids[0]}/data`)).bytes()), image.digest);

    const refusals = await Promise.all([
      refusalOf(working.api.getTask({ id: ids[0]! })),
      refusalOf(createImport(working.api, url)),
      refusalOf(working.api.listImages({})),
      refusalOf(eventsOf(working.api, `tasks/${ids[0]}`)),
      refusalOf(working.api.watchTasks({}).next()),
      refusalOf(connectCall(working.httpUrl, 'TaskService/GetTask', { id: ids[0] })),
    ]);
    t.deepEqual(
      refusals.map(({ code, reason }) => `${code} ${reason}`), refusals.map(() => 'UNAVAILABLE API_ROLE_MISSING'),
    );
    t.is((await fetch(`${working.httpUrl}/images/${ids[0]}/data`)).status, 503);
    for (const path of ['/healthz', '/readyz']) t.is((await fetch(`${working.httpUrl}${path}`)).status, 200, path);
    t.is((await scrape(working.httpUrl)).get('lehr_tasks_running'), 0);
  });
}
