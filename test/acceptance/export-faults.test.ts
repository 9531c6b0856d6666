import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import type { Event } from '../../src/gen/lehr/v1/event.ts';
import { seededRandom } from '../domain/seeded-random.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { awaitEmptyStaging, storeFiles } from './harness/data-folder.ts';
import { digestOf, rawDisk } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { createExport } from './harness/exports.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { gives, startSource } from './harness/source-server.ts';
import { awaitStage, awaitTask, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';
import { mayMount, mountTmpfs } from './harness/tmpfs.ts';

const mebibyte = 2 ** 20;
const image = rawDisk(4 * mebibyte, 1);
/** Which takes a second or more to compress. */
const noise = rawDisk(32 * mebibyte, 4);

interface Setting {
  readonly server: LehrServer;
  readonly folder: string;
  /** The file root. */
  readonly root: string;
  readonly imageId: string;
  /** Starts a server on the same folder after the first has died. */
  readonly again: () => Promise<LehrServer>;
}

const shared = new Teardowns();
/** For the tests in which no server dies. */
let steady: Pick<Setting, 'server' | 'folder' | 'root'>;

test.before(async () => {
  const [folder, root] = await Promise.all([makeFolder(shared), makeFolder(shared)]);
  steady = { folder, root, server: await startServer(shared, folder, { 'file-roots': root }) };
});

test.after.always(() => shared.run());

async function importInto(t: ExecutionContext, server: LehrServer, bytes: Uint8Array): Promise<string> {
  const source = await startSource(t);
  const { id } = await createImport(server.api, source.serve('/disk', gives(bytes)));
  const imported = await awaitTask(server.api, id);
  t.is(imported.state, 'STATE_SUCCEEDED', imported.failure?.message);
  return id;
}

/** A server of the test's own that holds an image. */
async function setUp(t: ExecutionContext, bytes: Uint8Array = image.bytes, root?: string): Promise<Setting> {
  const folder = await makeFolder(t);
  const exports = root ?? await makeFolder(t);
  const again = (): Promise<LehrServer> => startServer(t, folder, { 'file-roots': exports });
  const server = await again();
  return { server, folder, root: exports, imageId: await importInto(t, server, bytes), again };
}

/** An image of the test's own in the steady server, and a folder of its own below the root. */
async function settle(t: ExecutionContext): Promise<Omit<Setting, 'again'>> {
  const { server, folder, root } = steady;
  return { server, folder, root: await mkdtemp(path.join(root, 'test-')), imageId: await importInto(t, server, image.bytes) };
}

/** Waits until nothing of a task is staged. */
async function awaitCleared(folder: string, taskId: string): Promise<void> {
  while (storeFiles(folder).staging.some((name) => name.startsWith(taskId))) await delay(5);
}

/** A server that takes a PUT to its middle, and the rest only when the test says so; of the first `busyTimes` it keeps nothing. */
interface SlowStore {
  readonly url: string;
  readonly stored: ReadonlyMap<string, Buffer>;
  /** Resolves when the first bytes of a PUT have come. */
  readonly begun: () => Promise<void>;
  readonly open: () => void;
}

async function startSlowStore(t: ExecutionContext, busyTimes = 0): Promise<SlowStore> {
  let refusals = busyTimes;
  const stored = new Map<string, Buffer>();
  const begun = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const at = request.url ?? '';
    if (request.method === 'DELETE') return void response.writeHead(stored.delete(at) ? 204 : 404).end();
    if (request.method === 'GET') {
      const bytes = stored.get(at);
      if (bytes === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      return;
    }
    if (refusals > 0) {
      refusals -= 1;
      // An answer before the end of the request may be lost with the connection.
      return void request.resume().once('end', () => response.writeHead(503).end());
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      begun.resolve();
      request.pause();
      void opened.promise.then(() => request.resume());
    });
    request.once('end', () => {
      const isFree = !stored.has(at);
      if (isFree) stored.set(at, Buffer.concat(chunks));
      response.writeHead(isFree ? 201 : 412).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stored, begun: () => begun.promise, open: opened.resolve };
}

/** The digests that conversions were recorded with. */
const conversions = (events: readonly Event[]): readonly string[] =>
  events.flatMap(({ payload }) => (payload?.$case === 'stageCompleted' && payload.value.stage === 'convert' ? [payload.value.digest] : []));

const uriOf = (...parts: string[]): string => pathToFileURL(path.join(...parts)).href;

function damage(folder: string, imageId: string): void {
  const file = path.join(folder, 'store/images', `${imageId}.1`);
  const bytes = readFileSync(file);
  bytes[3 * mebibyte] = (bytes[3 * mebibyte] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

const damaged = { state: 'STATE_FAILED', attempt: 1, failure: { reason: 'REASON_IMAGE_CORRUPT' } } as const;

test('an image that was damaged in the store is found out, and nothing of it is delivered, to a file or by http', async (t) => {
  const { server, folder, root, imageId } = await settle(t);
  const store = await startSlowStore(t);
  store.open();
  damage(folder, imageId);
  const spec = { format: 'DISK_FORMAT_RAW' } as const;
  const toFile = await createExport(server.api, imageId, uriOf(root, 'x'), spec);
  const byHttp = await createExport(server.api, imageId, `${store.url}/x`, spec);
  for (const { id } of [toFile, byHttp]) {
    const task = await awaitTask(server.api, id);
    t.like(task, damaged, task.failure?.message);
    t.is(task.failure?.stage, 'deliver');
  }
  t.deepEqual([readdirSync(root), store.stored.size], [[], 0]);
  for (const { id } of [toFile, byHttp]) await awaitCleared(folder, id);
});

test('what exists is not overwritten, unless this task has recorded its digest', async (t) => {
  const { server, root, imageId } = await settle(t);
  writeFileSync(path.join(root, 'x'), 'somebody else\'s');
  const spec = { format: 'DISK_FORMAT_RAW' } as const;
  const refused = await awaitTask(server.api, (await createExport(server.api, imageId, uriOf(root, 'x'), spec)).id);
  t.like(refused, { state: 'STATE_FAILED', attempt: 1, failure: { reason: 'REASON_DESTINATION_EXISTS', stage: 'deliver', retryable: false } });
  t.is(readFileSync(path.join(root, 'x'), 'utf8'), 'somebody else\'s');
  writeFileSync(path.join(root, 'y'), image.bytes);
  const { ino } = statSync(path.join(root, 'y'));
  const same = await awaitTask(server.api, (await createExport(server.api, imageId, uriOf(root, 'y'), spec)).id);
  t.like(same, { state: 'STATE_SUCCEEDED', result: { digest: image.digest, verified: true } });
  t.is(statSync(path.join(root, 'y')).ino, ino);
});

test('a cancel in the middle of a delivery leaves nothing, and the store is cleared', async (t) => {
  const { server, folder, imageId } = await settle(t);
  const store = await startSlowStore(t);
  const { id } = await createExport(server.api, imageId, `${store.url}/x`, { format: 'DISK_FORMAT_RAW' });
  await store.begun();
  await server.api.cancelTask({ id });
  t.like(await awaitTask(server.api, id), { state: 'STATE_CANCELED', attempt: 1 });
  store.open();
  await awaitCleared(folder, id);
  t.is(store.stored.size, 0);
});

test('an image that is deleted while it is exported is exported nevertheless, and then its bytes are gone', async (t) => {
  const { server, folder, imageId } = await settle(t);
  const store = await startSlowStore(t);
  const { id } = await createExport(server.api, imageId, `${store.url}/x`, { format: 'DISK_FORMAT_RAW' });
  await store.begun();
  await server.api.deleteImage({ id: imageId });
  while (storeFiles(folder).images.includes(`${imageId}.1`)) await delay(5);
  store.open();
  t.like(await awaitTask(server.api, id), { state: 'STATE_SUCCEEDED', result: { digest: image.digest, verified: true } });
  t.true(store.stored.get('/x')?.equals(image.bytes));
  await awaitCleared(folder, id);
});

test('an export that was accepted and whose image is gone when it runs says so', async (t) => {
  const { server, root, folder, imageId, again } = await setUp(t);
  await server.kill('SIGTERM');
  const idle = await startServer(t, folder, { 'file-roots': root, workers: '0' });
  const { id } = await createExport(idle.api, imageId, uriOf(root, 'x'));
  await idle.api.deleteImage({ id: imageId });
  await idle.kill('SIGTERM');
  const next = await again();
  t.like(await awaitTask(next.api, id), { state: 'STATE_FAILED', attempt: 1, failure: { reason: 'REASON_IMAGE_NOT_FOUND', stage: 'borrow' } });
  t.deepEqual(readdirSync(root), []);
});

test('an image whose bytes the store has lost is not said to be deleted', async (t) => {
  const { server, folder, root, imageId } = await settle(t);
  const [file = ''] = readdirSync(path.join(folder, 'store', 'images')).filter((name) => name.startsWith(imageId));
  renameSync(path.join(folder, 'store', 'images', file), path.join(folder, 'away'));
  const { id } = await createExport(server.api, imageId, uriOf(root, 'x'));
  const waiting = await awaitTask(server.api, id, ({ state, failure }) => state !== 'STATE_RUNNING' && failure !== undefined);
  t.like(waiting.failure, { reason: 'REASON_STORE_UNAVAILABLE', stage: 'borrow', retryable: true, metadata: { image_id: imageId } });
  renameSync(path.join(folder, 'away'), path.join(folder, 'store', 'images', file));
  t.like(await awaitTask(server.api, id), { state: 'STATE_SUCCEEDED' });
});

test('a server that dies again and again while it writes a file leaves one file, whole, and nothing beside it', async (t) => {
  t.timeout(240_000);
  const random = seededRandom(7);
  const { server: first, folder, root, imageId, again } = await setUp(t, noise.bytes);
  let server = first;
  const ids: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const { id } = await createExport(server.api, imageId, uriOf(root, `disk-${round}`), { format: 'DISK_FORMAT_RAW' });
    ids.push(id);
    await delay(random() * 120);
    await server.kill('SIGKILL');
    server = await again();
  }
  for (const id of ids) t.like(await awaitTask(server.api, id), { state: 'STATE_SUCCEEDED', result: { digest: noise.digest, verified: true } });
  t.deepEqual(readdirSync(root).toSorted(), ids.map((_, round) => `disk-${round}`));
  for (const name of readdirSync(root)) t.is(digestOf(readFileSync(path.join(root, name))), noise.digest);
  await awaitEmptyStaging(folder);
  t.deepEqual((await server.api.verifyEvents({})).faults, []);
});

if (hasTool('qemu-img') && hasTool('bubblewrap')) {
  test('a damaged image is found out while it is converted too', async (t) => {
    const { server, folder, root, imageId } = await settle(t);
    damage(folder, imageId);
    const { id } = await createExport(server.api, imageId, uriOf(root, 'x'));
    const task = await awaitTask(server.api, id);
    t.like(task, damaged, task.failure?.message);
    t.is(task.failure?.stage, 'convert');
    t.deepEqual(readdirSync(root), []);
    await awaitCleared(folder, id);
  });

  test('a server that dies in a conversion converts anew, and what is delivered is what was recorded', async (t) => {
    t.timeout(120_000);
    const { server, folder, root, imageId, again } = await setUp(t, noise.bytes);
    const { id } = await createExport(server.api, imageId, uriOf(root, 'x'), { format: 'DISK_FORMAT_VMDK' });
    await awaitStage(server.api, id, 'convert');
    await server.kill('SIGKILL');
    const next = await again();
    const task = await awaitTask(next.api, id);
    t.like(task, { state: 'STATE_SUCCEEDED', attempt: 2, result: { format: 'DISK_FORMAT_VMDK' } }, task.failure?.message);
    t.deepEqual(conversions(await eventsOf(next.api, `tasks/${id}`)), [digestOf(readFileSync(path.join(root, 'x')))]);
    t.deepEqual(readdirSync(root), ['x']);
    await awaitEmptyStaging(folder);
  });

  for (const [what, spoil] of [
    ['delivers the very bytes that were recorded before', undefined],
    ['converts anew where they were damaged meanwhile, and records that', (file: string) => { writeFileSync(file, Buffer.alloc(statSync(file).size)); }],
    ['converts anew where they are gone, and records that', (file: string) => { renameSync(file, `${file}.away`); }],
  ] as const) {
    test(`a server that dies in a delivery: the next one ${what}`, async (t) => {
      t.timeout(120_000);
      const { server, folder, imageId, again } = await setUp(t);
      const store = await startSlowStore(t);
      // Two conversions to VMDK differ: each has a content id of its own.
      const { id } = await createExport(server.api, imageId, `${store.url}/x`, { format: 'DISK_FORMAT_VMDK' });
      await store.begun();
      await server.kill('SIGKILL');
      const converted = path.join(folder, 'store/staging', `${id}.1.converted`);
      if (spoil === undefined) t.true(statSync(converted).size > 0);
      else spoil(converted);
      store.open();
      const next = await again();
      const task = await awaitTask(next.api, id);
      t.like(task, { state: 'STATE_SUCCEEDED', attempt: 2, result: { format: 'DISK_FORMAT_VMDK', verified: true } }, task.failure?.message);
      const recorded = conversions(await eventsOf(next.api, `tasks/${id}`));
      t.is(recorded.length, 2);
      t.is(new Set(recorded).size, spoil === undefined ? 1 : 2);
      const delivered = digestOf(store.stored.get('/x') ?? Buffer.alloc(0));
      t.deepEqual([delivered, task.result?.digest], [recorded.at(-1), recorded.at(-1)]);
      t.deepEqual([...store.stored.keys()], ['/x']);
    });
  }

  test('a conversion is kept while its task waits for the next attempt, and delivered then', async (t) => {
    const { server, folder, imageId } = await settle(t);
    const store = await startSlowStore(t, 1);
    const { id } = await createExport(server.api, imageId, `${store.url}/x`, { format: 'DISK_FORMAT_VMDK' });
    await awaitTask(server.api, id, ({ state, failure }) => state === 'STATE_PENDING' && failure?.metadata['http_status'] === '503');
    const staged = (): readonly string[] => storeFiles(folder).staging.filter((name) => name.startsWith(id));
    while (staged().length > 1) await delay(5);
    t.deepEqual(staged(), [`${id}.1.converted`]);
    store.open();
    const task = await awaitTask(server.api, id);
    t.is(task.state, 'STATE_SUCCEEDED', task.failure?.message);
    const events = await eventsOf(server.api, `tasks/${id}`);
    t.is(new Set(conversions(events)).size, 1);
    t.deepEqual(conversions(events).slice(0, 1), [digestOf(store.stored.get('/x') ?? Buffer.alloc(0))]);
    t.deepEqual(story(events).slice(0, 4), ['taskCreated', 'attemptStarted', 'stageCompleted convert', 'attemptFailed']);
    await awaitCleared(folder, id);
  });
}

if (mayMount()) {
  test('an export to a full disk leaves nothing there, is tried again, and succeeds once there is room', async (t) => {
    const disk = mountTmpfs(t, 6 * mebibyte);
    const { server, imageId } = await setUp(t, image.bytes, disk);
    const ballast = path.join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(3 * mebibyte));
    const { id } = await createExport(server.api, imageId, uriOf(disk, 'x'), { format: 'DISK_FORMAT_RAW' });
    const waiting = await awaitTask(server.api, id, ({ state, failure }) => state === 'STATE_PENDING' && failure !== undefined);
    t.like(waiting.failure, { reason: 'REASON_DESTINATION_FULL', stage: 'deliver', retryable: true, metadata: { system_error: 'ENOSPC' } });
    t.deepEqual(readdirSync(disk), ['ballast']);
    writeFileSync(ballast, '');
    t.like(await awaitTask(server.api, id), { state: 'STATE_SUCCEEDED', result: { digest: image.digest } });
    t.deepEqual(readdirSync(disk), ['ballast', 'x']);
  });
}
