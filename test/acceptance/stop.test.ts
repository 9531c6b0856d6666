import test from 'ava';

import { stopGraceMs } from '../../src/main.ts';
import type { WatchTasksResponse } from '../../src/gen/lehr/v1/task_service.ts';
import { storeFiles } from './harness/data-folder.ts';
import { rawDisk } from './harness/disk-images.ts';
import { Gate } from './harness/gate.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import { Refused } from './harness/refused.ts';
import type { Refusal } from './harness/refused.ts';
import { startSource } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';

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
  t.deepEqual(await server.kill('SIGINT'), { code: 130, signal: null });
  t.true(performance.now() - askedMs < stopGraceMs / 2, 'it did not wait for its grace');
  gate.open();
  const again = await startServer(t, folder);
  t.is((await awaitTask(again.api, id)).state, 'STATE_SUCCEEDED');
});
