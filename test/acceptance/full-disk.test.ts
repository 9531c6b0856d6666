import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { rawDisk } from './harness/disk-images.ts';
import { Gate } from './harness/gate.ts';
import { servedImages } from './harness/inventory.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { Refused, refusalOf } from './harness/refused.ts';
import type { Refusal } from './harness/refused.ts';
import { gives, startSource } from './harness/source-server.ts';
import { awaitTask, awaitTasks, createImport, importFrom } from './harness/tasks.ts';
import { mayMount, mountTmpfs } from './harness/tmpfs.ts';

const mebibyte = 1024 * 1024;

/** Writes a file until the disk takes no more; removing it makes room. */
function fillDisk(folder: string): string {
  const ballast = path.join(folder, 'ballast');
  const file = openSync(ballast, 'w');
  for (const sizeBytes of [65_536, 4_096, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(sizeBytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(file);
  return ballast;
}

async function metTheFullStore(t: ExecutionContext, small: LehrServer, url: string): Promise<string> {
  const { id } = await createImport(small.api, url);
  const waiting = await awaitTask(small.api, id, ({ state, failure }) => state === 'STATE_PENDING' && failure !== undefined);
  const { reason, stage, retryable, metadata, message } = waiting.failure!;
  t.deepEqual({ reason, stage, retryable }, { reason: 'REASON_STORE_FULL', stage: 'fetch', retryable: true });
  t.is(metadata['path'], `staging/${id}.${waiting.attempt}`);
  t.regex(message, /no room|full|space/i);
  t.true(waiting.retryTime! > waiting.updateTime!);
  return id;
}

if (mayMount()) {
  test('an import into a full store fails with STORE_FULL and the path, is tried again, and succeeds once there is room', async (t) => {
    const store = mountTmpfs(t, 4 * mebibyte);
    const source = await startSource(t);
    const image = rawDisk(2 * mebibyte, 1);
    const server = await startServer(t, await makeFolder(t), { 'store-dir': store, 'attempt-limit': '100' });
    const ballast = fillDisk(store);
    const id = await metTheFullStore(t, server, source.serve('/disk', gives(image.bytes)));
    rmSync(ballast);
    const task = await awaitTask(server.api, id);
    t.deepEqual({ state: task.state, digest: task.result?.digest }, { state: 'STATE_SUCCEEDED', digest: image.digest });
    t.deepEqual([...await servedImages(server)], [[id, image.digest]]);
  });

  test('on a full disk CreateTask is UNAVAILABLE; what was acknowledged stays, and all goes on once there is room', async (t) => {
    t.timeout(120_000);
    const folder = mountTmpfs(t, 12 * mebibyte);
    const source = await startSource(t);
    const image = rawDisk(64 * 1024, 1);
    const url = source.serve('/disk', gives(image.bytes));
    const server = await startServer(t, path.join(folder, 'data'), { workers: '0' });
    const labels = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`label-${index}`, 'x'.repeat(255)]));
    const acknowledged: string[] = [];
    const create = async (): Promise<{ readonly id: string; readonly readToken: string }> => {
      const { task, readToken } = await server.api.createTask({ ...importFrom(url), labels, requestId: `n-${acknowledged.length}` });
      acknowledged.push(task!.id);
      return { id: task!.id, readToken };
    };
    for (let index = 0; index < 5; index += 1) await create();
    const ballast = fillDisk(folder);
    // The files of the database may have some room left inside, which has to be used up first.
    let refusal: Refusal | undefined;
    while (refusal === undefined && acknowledged.length < 2_000) {
      await create().catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        refusal = error.refusal;
      });
    }
    t.like(refusal, { code: 'UNAVAILABLE', reason: 'LOG_UNAVAILABLE' });
    t.like(await refusalOf(create()), { code: 'UNAVAILABLE', reason: 'LOG_UNAVAILABLE' });
    t.is((await fetch(`${server.httpUrl}/healthz`)).status, 200);

    rmSync(ballast);
    // The request that was refused is sent again, as its caller was told to.
    const { readToken } = await create();
    for (const id of acknowledged) t.is((await server.api.getTask({ id, readToken })).task?.state, 'STATE_PENDING');
    await server.kill('SIGKILL');
    const next = await startServer(t, path.join(folder, 'data'), { workers: '0' });
    const { tasks } = await next.api.listTasks({ pageSize: 1_000 });
    t.deepEqual(tasks.map(({ id }) => id).toSorted(), acknowledged.toSorted());
    t.deepEqual((await next.api.verifyEvents({})).faults, []);
  });

  test('tasks whose events find no room are taken up again by themselves', async (t) => {
    t.timeout(120_000);
    const folder = mountTmpfs(t, 16 * mebibyte);
    const source = await startSource(t);
    const image = rawDisk(64 * 1024, 1);
    const server = await startServer(t, path.join(folder, 'data'), { 'store-dir': await makeFolder(t) });
    const gates = Array.from({ length: 4 }, () => new Gate(image.bytes));
    const tasks = await Promise.all(gates.map((gate, index) => createImport(server.api, source.serve(`/disk-${index}`, gate.behaviour))));
    const ids = tasks.map(({ id }) => id);
    await Promise.all(gates.map((gate) => gate.asked));
    const ballast = fillDisk(folder);
    for (const gate of gates) gate.open();
    await server.process.printed(/"task set aside, to be taken up again"/);
    rmSync(ballast);
    const ended = await awaitTasks(server.api, ids);
    t.deepEqual(new Set(ended.map(({ state }) => state)), new Set(['STATE_SUCCEEDED']));
    t.is((await servedImages(server)).size, ids.length);
    t.deepEqual((await server.api.verifyEvents({})).faults, []);
  });
}
