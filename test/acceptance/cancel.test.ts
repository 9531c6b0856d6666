import test from 'ava';

import { rawDisk } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { Gate } from './harness/gate.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { refusalOf } from './harness/refused.ts';
import { answers, gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const image = rawDisk(512 * 1024, 1);

/** A transfer has to stop this soon after its cancel was answered. */
const stopWithinMs = 1_000;

const shared = new Teardowns();
let server: LehrServer;
let source: SourceServer;

test.before(async () => {
  source = await startSource(shared);
  server = await startServer(shared, await makeFolder(shared));
});

test.after.always(() => shared.run());

test('a task that waits for its first attempt is canceled at once and never runs', async (t) => {
  const narrow = await startServer(t, await makeFolder(t), { transfers: '1' });
  const gate = new Gate(image.bytes);
  const first = await createImport(narrow.api, source.serve('/in-the-way', gate.behaviour));
  await gate.asked;
  const second = await createImport(narrow.api, source.serve('/behind', gives(image.bytes)));
  const { task, readToken } = await narrow.api.cancelTask({ id: second.id });
  t.deepEqual({ state: task?.state, attempt: task?.attempt, revision: task?.revision }, { state: 'STATE_CANCELED', attempt: 0, revision: 2n });
  t.is((await narrow.api.getTask({ id: second.id, readToken })).task?.state, 'STATE_CANCELED');
  gate.open();
  await awaitTask(narrow.api, first.id);
  // The queue has come to the canceled one by the time that a later task is done.
  await awaitTask(narrow.api, (await createImport(narrow.api, source.serve('/later', gives(image.bytes)))).id);
  t.deepEqual(story(await eventsOf(narrow.api, `tasks/${second.id}`)), ['taskCreated', 'taskCanceled']);
  t.is(source.count('/behind'), 0);
});

test('a cancel stops a transfer within a second, and asking twice is no mistake', async (t) => {
  const gate = new Gate(image.bytes);
  const { id } = await createImport(server.api, source.serve('/slow', gate.behaviour));
  await gate.asked;
  const answered = await Promise.all([server.api.cancelTask({ id }), server.api.cancelTask({ id })]);
  const answeredMs = performance.now();
  await gate.left;
  t.true(performance.now() - answeredMs < stopWithinMs, 'the source saw its reader leave');
  for (const { task } of answered) t.true(task?.state === 'STATE_CANCELED' || task?.cancelRequested === true);
  const task = await awaitTask(server.api, id);
  t.deepEqual({ state: task.state, result: task.result, failure: task.failure }, { state: 'STATE_CANCELED', result: undefined, failure: undefined });
  t.deepEqual(story(await eventsOf(server.api, `tasks/${id}`)), ['taskCreated', 'attemptStarted', 'cancelRequested', 'taskCanceled']);
  const third = await server.api.cancelTask({ id });
  t.deepEqual({ state: third.task?.state, revision: third.task?.revision }, { state: 'STATE_CANCELED', revision: 4n });
  t.is((await refusalOf(server.api.getImage({ id }))).code, 'NOT_FOUND');
});

test('a task that waits for its next attempt is canceled at once', async (t) => {
  const { id } = await createImport(server.api, source.serve('/broken', answers(503)));
  await awaitTask(server.api, id, ({ state, retryTime }) => state === 'STATE_PENDING' && retryTime !== undefined);
  const { task } = await server.api.cancelTask({ id });
  t.deepEqual({ state: task?.state, retryTime: task?.retryTime }, { state: 'STATE_CANCELED', retryTime: undefined });
  t.deepEqual(story(await eventsOf(server.api, `tasks/${id}`)), ['taskCreated', 'attemptStarted', 'attemptFailed', 'taskCanceled']);
});

test('a task that has ended is canceled no more', async (t) => {
  const good = await createImport(server.api, source.serve('/good', gives(image.bytes)));
  const bad = await createImport(server.api, source.serve('/bad', answers(404)));
  for (const { id } of [good, bad]) {
    await awaitTask(server.api, id);
    const { code, reason, message } = await refusalOf(server.api.cancelTask({ id }));
    t.deepEqual({ code, reason }, { code: 'FAILED_PRECONDITION', reason: 'TASK_ENDED' });
    t.regex(message, /ended/);
  }
});

test('a task that does not exist is not canceled', async (t) => {
  const id = '018f0000-0000-7000-8000-000000000000';
  const { code, reason, message } = await refusalOf(server.api.cancelTask({ id }));
  t.deepEqual({ code, reason, message }, { code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND', message: `There is no task ${id}.` });
});

test('a cancel survives the death of the server that was asked', async (t) => {
  const folder = await makeFolder(t);
  const first = await startServer(t, folder);
  const gate = new Gate(image.bytes);
  const { id } = await createImport(first.api, source.serve('/half', gate.behaviour));
  await gate.asked;
  const canceled = first.api.cancelTask({ id });
  await canceled;
  await first.kill('SIGKILL');
  const second = await startServer(t, folder);
  t.is((await awaitTask(second.api, id)).state, 'STATE_CANCELED');
  t.is(source.count('/half'), 1);
});
