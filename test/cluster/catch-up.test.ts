import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import test from 'ava';

import { freePorts } from '../../scripts/servers/free-ports.ts';
import { connectCall } from '../acceptance/harness/connect-call.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import type { LehrServer, Settings } from '../acceptance/harness/lehr-server.ts';
import { Refused } from '../acceptance/harness/refused.ts';
import { answers, gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTasks, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { Cluster } from './harness/cluster.ts';
import { projectionDigests } from './harness/projection-digests.ts';
import { canCluster, sharedServers } from './harness/with-servers.ts';

/** Tasks that are only created: enough of a log for a new node to be asked while it reads. */
const manyTasks = 800;

/** So many are asked for at once. */
const atOnce = 100;

/** A node that only answers calls, and can be stopped without holding up any task. */
const clerk: Settings = { roles: 'api' };

const image = rawDisk(64 * 1024, 1);
const ttl = { seconds: 1n, nanos: 0 };

const shared = new Teardowns();
let cluster: Cluster;
let source: SourceServer;

/** Something of everything that can happen to tasks and images. */
async function live([first, second]: readonly [LehrServer, LehrServer], name: string): Promise<void> {
  const good = source.serve(`/good-${name}`, gives(image.bytes));
  const bad = source.serve(`/bad-${name}`, answers(404));
  const tasks = await Promise.all([
    ...Array.from({ length: 4 }, () => createImport(first.api, good)),
    createImport(second.api, bad),
    createImport(second.api, good, { ttl }),
  ]);
  const ids = tasks.map(({ id }) => id);
  await awaitTasks(second.api, ids);
  await first.api.updateImage({ image: { id: ids[0]!, name }, updateMask: ['name'] });
  await second.api.deleteImage({ id: ids[1]! });
  const waiting = await createImport(first.api, good);
  await second.api.cancelTask({ id: waiting.id }).catch(() => undefined);
  await awaitTasks(first.api, [waiting.id]);
  for await (const { event } of first.api.streamEvents({ subjectPrefix: `tasks/${ids[5]}`, follow: true })) {
    if (event?.payload?.$case === 'taskExpired') break;
  }
}

/** Between two questions. */
const askEveryMs = 10;

/** The first answer about a task of a node that has just been started. */
async function firstAnswer(httpUrl: string, id: string): Promise<Record<string, unknown>> {
  for (;;) {
    try {
      return await connectCall(httpUrl, 'TaskService/GetTask', { id });
    } catch (error) {
      const isEarly = error instanceof Refused ? error.refusal.reason === 'NOT_READY' : error instanceof TypeError;
      if (!isEarly) throw error;
      await pause(askEveryMs);
    }
  }
}

if (canCluster) {
  test.before(async (t) => {
    source = await startSource(shared);
    cluster = await Cluster.make(shared, await sharedServers(t));
  });

  test.afterEach.always((t) => cluster.explain(t));
  test.after.always(() => shared.run());

  test('a node that is new, was away or has lost its projections knows what the others know before it answers', async (t) => {
    const first = await cluster.start('first');
    const early = await cluster.start('second', clerk);
    await live([first, early], 'early');
    // Away while others go on: asked to stop, and killed. The third is new.
    t.deepEqual(await early.kill('SIGTERM'), { code: 0, signal: null });
    const third = await cluster.start('third');
    await live([first, third], 'without-second');
    await first.kill('SIGKILL');
    const second = await cluster.start('second', clerk);
    await live([second, third], 'without-first');
    await third.kill('SIGTERM');

    // A log that takes a while to read; nobody works on it.
    let last = '';
    for (let made = 0; made < manyTasks; made += atOnce) {
      const tasks = await Promise.all(Array.from({ length: atOnce }, () => createImport(second.api, 'http://127.0.0.1:1/nothing')));
      last = tasks.at(-1)!.id;
    }
    await rm(path.join(cluster.folderOf('first'), 'projections'), { recursive: true });
    const comers = await Promise.all(['first', 'third'].map(async (name) => {
      const [port = 0] = await freePorts(1);
      const starting = cluster.start(name, { ...clerk, 'http-port': String(port) });
      const answer = await firstAnswer(`http://127.0.0.1:${port}`, last);
      t.is((answer['task'] as { readonly id: string }).id, last, `the first answer of ${name}`);
      return starting;
    }));
    for (const node of [second, ...comers]) t.deepEqual(await node.kill('SIGTERM'), { code: 0, signal: null });
    const digests = ['first', 'second', 'third'].map((name) => projectionDigests(cluster.folderOf(name)));
    t.deepEqual(Object.keys(digests[0]!).toSorted(), ['applied_places', 'heads', 'history', 'images', 'tasks', 'timers']);
    t.deepEqual(digests, digests.map(() => digests[0]!));
  });
}
