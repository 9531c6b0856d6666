import test from 'ava';

import { stopGraceMs } from '../../src/main.ts';
import type { WatchTasksResponse } from '../../src/gen/lehr/v1/task_service.ts';
import { connectCall } from './harness/connect-call.ts';
import { storeFiles } from './harness/data-folder.ts';
import { rawDisk } from './harness/disk-images.ts';
import { Gate } from './harness/gate.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import { Refused } from './harness/refused.ts';
import type { Refusal } from './harness/refused.ts';
import { startSource } from './harness/source-server.ts';
import { awaitTask, createImport, importFrom } from './harness/tasks.ts';

/** What a server may take beyond the grace that it gives to what is running. */
const slackMs = 3_000;

const image = rawDisk(512 * 1024, 1);

type Message = NonNullable<WatchTasksResponse['message']>;

/** Reads a watch to its end and gives what it said from `snapshot_end` on, and how it ended. */
async function readToEnd(
  watch: AsyncIterable<WatchTasksResponse>, onReady: () => void,
): Promise<{ last: Message | undefined; ended: Refusal | undefined }> {
  let last: Message | undefined;
  try {
    for await (const { message } of watch) {
      if (message?.$case === 'snapshotEnd') onReady();
      last = message;
    }
    return { last, ended: undefined };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { last, ended: error.refusal };
  }
}

test('SIGTERM lets a watcher go with a bookmark and hands the running import back; after a restart both go on', async (t) => {
  t.timeout(120_000);
  const folder = await makeFolder(t);
  const source = await startSource(t);
  const gate = new Gate(image.bytes);
  const server = await startServer(t, folder);
  const { id } = await createImport(server.api, source.serve('/slow', gate.behaviour));
  await gate.asked;
  const listening = Promise.withResolvers<void>();
  const watched = readToEnd(server.api.watchTasks({ filter: 'kind = "import"' }), () => listening.resolve());
  await listening.promise;

  const askedMs = performance.now();
  const exit = server.kill('SIGTERM');
  const { last, ended } = await watched;
  t.is(last?.$case, 'bookmark');
  t.deepEqual({ code: ended?.code, reason: ended?.reason }, { code: 'UNAVAILABLE', reason: 'SERVER_STOPPING' });
  t.deepEqual(await exit, { code: 0, signal: null });
  t.true(performance.now() - askedMs < stopGraceMs + slackMs, 'it stopped within its bound');
  await gate.left;

  gate.open();
  const again = await startServer(t, folder);
  const resumeToken = last?.$case === 'bookmark' ? last.value.resumeToken : '';
  const seen: Message[] = [];
  for await (const { message } of again.api.watchTasks({ filter: 'kind = "import"', resumeToken })) {
    seen.push(message!);
    if (message?.$case === 'change' && message.value.state === 'STATE_SUCCEEDED') break;
  }
  const { task } = await again.api.getTask({ id });
  t.false(seen.some(({ $case }) => $case === 'snapshot' || $case === 'snapshotEnd'));
  t.deepEqual(
    { state: task?.state, attempt: task?.attempt, digest: task?.result?.digest },
    { state: 'STATE_SUCCEEDED', attempt: 2, digest: image.digest },
  );
  t.deepEqual(await again.kill('SIGTERM'), { code: 0, signal: null });
  t.deepEqual(storeFiles(folder), { staging: [], images: [`${id}.2`] });
});

test('a server that has nothing to do stops at once on SIGINT', async (t) => {
  const server = await startServer(t, await makeFolder(t));
  const askedMs = performance.now();
  t.deepEqual(await server.kill('SIGINT'), { code: 0, signal: null });
  t.true(performance.now() - askedMs < slackMs);
});

test('a signal that comes twice at once is one', async (t) => {
  const source = await startSource(t);
  const gate = new Gate(image.bytes);
  const server = await startServer(t, await makeFolder(t));
  await createImport(server.api, source.serve('/slow', gate.behaviour));
  await gate.asked;
  server.process.child.kill('SIGTERM');
  server.process.child.kill('SIGINT');
  await server.process.printed(/"msg":"stopping"/);
  gate.open();
  t.deepEqual(await server.process.ended, { code: 0, signal: null });
});

test('Ctrl-C twice ends a busy server at once, and the next one takes the import up', async (t) => {
  const folder = await makeFolder(t);
  const source = await startSource(t);
  const gate = new Gate(image.bytes);
  const server = await startServer(t, folder);
  const { id } = await createImport(server.api, source.serve('/slow', gate.behaviour));
  await gate.asked;
  server.process.child.kill('SIGINT');
  await server.process.printed(/"signal":"SIGINT"/);
  const askedMs = performance.now();
  // One that comes at once is the same one; somebody who is in a hurry presses on.
  const pressing = setInterval(() => server.process.child.kill('SIGINT'), 100);
  t.deepEqual(await server.process.ended, { code: 130, signal: null });
  clearInterval(pressing);
  t.true(performance.now() - askedMs < stopGraceMs / 2, 'it did not wait for its grace');
  gate.open();
  const again = await startServer(t, folder);
  t.is((await awaitTask(again.api, id)).state, 'STATE_SUCCEEDED');
});

/** Calls again and again until the server is gone, and gives how often each answer came. */
async function callUntilGone(call: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> {
  const answers = new Map<string, number>();
  for (;;) {
    const answer = await call().then(() => 'OK', (error: unknown) => {
      if (error instanceof Refused) return `${error.refusal.code} ${error.refusal.reason ?? 'of the connection'}`;
      return `gone: ${String(error)}`;
    });
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    if (answer === 'UNAVAILABLE of the connection' || answer.startsWith('gone')) return answers;
  }
}

test('calls that come while a server stops are answered, or UNAVAILABLE, at every door', async (t) => {
  const source = await startSource(t);
  const gate = new Gate(image.bytes);
  const server = await startServer(t, await makeFolder(t));
  const { id } = await createImport(server.api, source.serve('/slow', gate.behaviour));
  await gate.asked;
  const calls = [
    () => server.api.getTask({ id }),
    () => server.api.listTasks({}),
    () => server.api.cancelTask({ id: 'nobody' }).catch((error: unknown) => {
      if (!(error instanceof Refused) || error.refusal.code !== 'NOT_FOUND') throw error;
    }),
    () => server.api.createTask(importFrom('https://example.invalid/disk')),
    () => server.api.listEvents({ subject: `tasks/${id}` }),
    () => server.api.verifyEvents({}),
    () => connectCall(server.httpUrl, 'TaskService/GetTask', { id }),
    () => connectCall(server.httpUrl, 'TaskService/ListTasks', {}),
  ];
  const answered = Promise.all(calls.map(callUntilGone));
  await server.process.printed(/"task accepted"/);
  t.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
  for (const answers of await answered) {
    const bad = [...answers.keys()].filter((answer) => answer !== 'OK' && !answer.startsWith('UNAVAILABLE') && !answer.startsWith('gone'));
    t.deepEqual(bad, [], JSON.stringify([...answers]));
  }
  t.false(server.process.stderr().includes('incident'), server.process.stderr());
});

test('followers of the log are let go so that they can resume', async (t) => {
  const server = await startServer(t, await makeFolder(t));
  await createImport(server.api, 'https://example.invalid/disk');
  const followed = server.api.streamEvents({ follow: true });
  t.is((await followed.next()).value?.event?.revision, 1n);
  const ended = (async (): Promise<Refusal | undefined> => {
    try {
      for await (const _ of followed);
      return undefined;
    } catch (error) {
      if (error instanceof Refused) return error.refusal;
      throw error;
    }
  })();
  t.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
  t.like(await ended, { code: 'UNAVAILABLE', reason: 'SERVER_STOPPING' });
});
