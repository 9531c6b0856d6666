import test from 'ava';

import { rawDisk } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { servedImages } from './harness/inventory.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { refusalOf } from './harness/refused.ts';
import { answers, gives, startSource } from './harness/source-server.ts';
import { awaitTask, createImport, importFrom } from './harness/tasks.ts';

const image = rawDisk(64 * 1024, 1);
const ttl = { seconds: 1n, nanos: 0 };

/** Follows the log until the task has expired. */
async function untilExpired({ api }: LehrServer, id: string): Promise<void> {
  for await (const { event } of api.streamEvents({ follow: true, subjectPrefix: `tasks/${id}` })) {
    if (event?.payload?.$case === 'taskExpired') return;
  }
  throw new Error('the log ended before the task expired');
}

test('a task leaves the lists when its time has come; its events and its image stay', async (t) => {
  const source = await startSource(t);
  const url = source.serve('/disk', gives(image.bytes));
  const server = await startServer(t, await makeFolder(t));
  const removed = (async () => {
    const told: string[] = [];
    for await (const { message } of server.api.watchTasks({})) {
      if (message?.$case === 'change') told.push(message.value.state);
      if (message?.$case === 'removed') return { told, removed: message.value.id };
    }
    return undefined;
  })();
  const { id } = await createImport(server.api, url, { ttl, requestId: 'once', labels: { env: 'test' } });
  const task = await awaitTask(server.api, id);
  t.is(Number(task.expireTime) - Number(task.endTime), 1_000);
  await untilExpired(server, id);
  const told = await removed;
  t.is(told?.removed, id);
  t.is(told?.told.at(-1), 'STATE_SUCCEEDED');

  t.deepEqual((await server.api.listTasks({})).tasks, []);
  const gone = await refusalOf(server.api.getTask({ id }));
  t.deepEqual({ code: gone.code, reason: gone.reason }, { code: 'NOT_FOUND', reason: 'TASK_EXPIRED' });
  t.deepEqual((await refusalOf(server.api.cancelTask({ id }))).reason, 'TASK_EXPIRED');
  const told2 = story(await eventsOf(server.api, `tasks/${id}`));
  t.deepEqual(told2, [
    'taskCreated', 'attemptStarted', 'stageCompleted fetch', 'stageCompleted inspect', 'imageStored', 'taskSucceeded', 'taskExpired',
  ]);
  t.deepEqual([...await servedImages(server)], [[id, image.digest]]);

  // The same request again is answered with the task that expired, and runs nothing.
  const again = await server.api.createTask({ ...importFrom(url), ttl, requestId: 'once', labels: { env: 'test' } });
  t.deepEqual({ id: again.task?.id, state: again.task?.state, revision: again.task?.revision }, { id, state: 'STATE_EXPIRED', revision: 7n });
  const other = await refusalOf(server.api.createTask({ ...importFrom(url), ttl, requestId: 'once' }));
  t.deepEqual({ code: other.code, reason: other.reason }, { code: 'ALREADY_EXISTS', reason: 'REQUEST_ID_REUSED' });
  t.is(source.count('/disk'), 1);
  t.deepEqual((await server.api.verifyEvents({})).faults, []);
});

test('tasks that failed or were canceled expire too, and what is due while no server runs expires after the start', async (t) => {
  const source = await startSource(t);
  const folder = await makeFolder(t);
  const first = await startServer(t, folder, { workers: '0' });
  const lasting = await createImport(first.api, source.serve('/lasting', gives(image.bytes)), { ttl: { seconds: 3_600n, nanos: 0 } });
  const failing = await createImport(first.api, source.serve('/gone', answers(404)), { ttl });
  const canceled = await createImport(first.api, source.serve('/never', gives(image.bytes)), { ttl });
  await first.api.cancelTask({ id: canceled.id });
  await first.kill('SIGKILL');

  const second = await startServer(t, folder);
  await untilExpired(second, canceled.id);
  await untilExpired(second, failing.id);
  t.is((await awaitTask(second.api, lasting.id)).state, 'STATE_SUCCEEDED');
  t.deepEqual((await second.api.listTasks({})).tasks.map(({ id }) => id), [lasting.id]);
  t.is(source.count('/never'), 0);
  for (const { id } of [failing, canceled]) t.is((await refusalOf(second.api.getTask({ id }))).reason, 'TASK_EXPIRED');
  // An expired task stays expired after the next start.
  await second.kill('SIGKILL');
  const third = await startServer(t, folder);
  t.deepEqual((await third.api.listTasks({})).tasks.map(({ id }) => id), [lasting.id]);
  t.is((await refusalOf(third.api.getTask({ id: failing.id }))).reason, 'TASK_EXPIRED');
});

test('task-ttl is for tasks that ask for no time of their own', async (t) => {
  const source = await startSource(t);
  const server = await startServer(t, await makeFolder(t), { 'task-ttl': '90m' });
  const { id } = await createImport(server.api, source.serve('/disk', gives(image.bytes)));
  const task = await awaitTask(server.api, id);
  t.is(Number(task.expireTime) - Number(task.endTime), 90 * 60_000);
});
