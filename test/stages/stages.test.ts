import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { BytesPool } from '../../src/bytes/bytes-pool.ts';
import { headBytes } from '../../src/formats/inspect-head.ts';
import { createSources } from '../../src/sources/create-sources.ts';
import type { Sources } from '../../src/sources/source.ts';
import { fetch } from '../../src/stages/fetch.ts';
import { inspect } from '../../src/stages/inspect.ts';
import type { StageRun } from '../../src/stages/stage.ts';
import { store as storeStage } from '../../src/stages/store.ts';
import { openly } from '../../src/sources/source.ts';
import { FolderStore } from '../../src/stores/folder/folder-store.ts';
import { until } from '../bytes/pool-fixture.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';
import { closed, startBadServer } from '../sources/bad-server.ts';
import { settings } from '../sources/read.ts';

const disk = Buffer.concat([buildRaw(mbr), randomBytes(2 * 1024 * 1024)]);
const digest = `sha256:${createHash('sha256').update(disk).digest('hex')}`;

interface Fixture {
  readonly root: string;
  readonly deps: { readonly pool: BytesPool; readonly store: FolderStore; readonly sources: Sources };
  run(signal?: AbortSignal): StageRun & { readonly ticks: [bytesDone: number, bytesTotal: number][] };
}

async function start(t: ExecutionContext): Promise<Fixture> {
  const root = mkdtempSync(join(tmpdir(), 'lehr-stages-'));
  const deps = {
    pool: new BytesPool(1),
    store: await FolderStore.open(root),
    sources: createSources({ ...settings, maxImageBytes: 1 << 30 }),
  };
  t.teardown(async () => {
    await deps.sources.close();
    await deps.pool.close();
    await deps.store.close();
    rmSync(root, { recursive: true });
  });
  return {
    root,
    deps,
    run(signal = new AbortController().signal) {
      const ticks: [number, number][] = [];
      return { taskId: randomUUID(), attempt: 1, signal, ticks, progress: (done, total) => void ticks.push([done, total]) };
    },
  };
}

function inputOf(sourceUri: string, expectedDigest = ''): Parameters<typeof fetch>[2] {
  return { source: openly(sourceUri), sourceFormat: 'DISK_FORMAT_UNSPECIFIED', expectedDigest };
}

test('a URL becomes a stored image in three stages', async (t) => {
  const { root, deps, run: newRun } = await start(t);
  const { origin } = await startBadServer(t, (_, response) => {
    response.writeHead(200, { 'content-length': disk.length, etag: '"v1"' });
    response.end(disk);
  });
  const run = newRun();
  const fetched = await fetch(run, deps, inputOf(`${origin}/disk`, digest.toUpperCase().replace('SHA', 'sha')));
  t.deepEqual(fetched, { sizeBytes: disk.length, digest, facts: { host: origin.slice('http://'.length), etag: '"v1"' } });
  t.deepEqual(run.ticks[0], [0, disk.length]);
  t.deepEqual(run.ticks.at(-1), [disk.length, disk.length]);

  const verdict = await inspect(run, deps, { part: 'fetched', declared: 'DISK_FORMAT_RAW', maxVirtualBytes: 1n << 40n, requireRecognisedRaw: false });
  t.like(verdict, { kind: 'accepted', format: 'DISK_FORMAT_RAW', virtualSizeBytes: BigInt(disk.length) });

  const { file } = await storeStage(run, deps, 'fetched');
  t.true(readFileSync(join(root, 'images', file)).equals(disk));
  t.deepEqual(readdirSync(join(root, 'staging')), []);
});

test('another digest than expected fails the fetch and names both', async (t) => {
  const { deps, run } = await start(t);
  const { origin } = await startBadServer(t, (_, response) => void response.end(disk));
  const expected = `sha256:${'0'.repeat(64)}`;
  const error = await t.throwsAsync(fetch(run(), deps, inputOf(origin, expected)));
  t.like(error, { failure: { reason: 'REASON_DIGEST_MISMATCH', retryable: false, metadata: { expected, actual: digest } } });
  t.true(error.message.includes(expected) && error.message.includes(digest));
});

test('an image that its head shows to be unfit cuts the transfer off', async (t) => {
  const { deps, root, run } = await start(t);
  const { origin, sockets } = await startBadServer(t, (_, response) => {
    response.writeHead(200, { 'content-length': 1 << 30 });
    const page = Buffer.alloc(64 * 1024, '<!DOCTYPE html><html>');
    const pump = (): void => {
      while (response.write(page));
      response.once('drain', pump);
    };
    pump();
  });
  const error = await t.throwsAsync(fetch(run(), deps, inputOf(origin)));
  t.like(error, { failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
  await closed(sockets[0]!);
  // What the sockets' buffers and the slots of one thread can hold lies far below.
  t.true(sockets[0]!.bytesWritten < headBytes + 32 * 1024 * 1024, `${sockets[0]!.bytesWritten} bytes were sent`);
  await until(() => deps.pool.stats().load === 0);
  t.deepEqual(readdirSync(join(root, 'staging')), []);
});

test('a source that stalls after an unfit head does not keep the refusal back', async (t) => {
  const { deps, run } = await start(t);
  const { origin, sockets } = await startBadServer(t, (_, response) => void response.write(Buffer.alloc(headBytes, '<!DOCTYPE html><html>')));
  t.like(await t.throwsAsync(fetch(run(), deps, inputOf(origin))), { failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
  await closed(sockets[0]!);
});

test('a cancel in mid-transfer stops it with its reason, closes the socket and leaves nothing', async (t) => {
  const { deps, root, run: newRun } = await start(t);
  const { origin, sockets } = await startBadServer(t, (_, response) => {
    response.writeHead(200, { 'content-length': disk.length });
    response.write(disk.subarray(0, 1_000_000));
  });
  const cancel = new AbortController();
  const canceled = new Error('canceled');
  const run = newRun(cancel.signal);
  const fetching = fetch(run, deps, inputOf(origin));
  await until(() => run.ticks.at(-1)?.[0] === 1_000_000 && deps.pool.stats().borrowedSlots === 0);
  t.is(readdirSync(join(root, 'staging')).length, 1);
  cancel.abort(canceled);
  t.is(await t.throwsAsync(fetching), canceled);
  await closed(sockets[0]!);
  await until(() => deps.pool.stats().load === 0);
  t.deepEqual(readdirSync(join(root, 'staging')), []);
});

test('a cancel after the last byte stops the fetch too', async (t) => {
  const { deps, root, run: newRun } = await start(t);
  const { origin } = await startBadServer(t, (_, response) => void response.end(disk));
  const cancel = new AbortController();
  const canceled = new Error('canceled');
  const run = newRun(cancel.signal);
  const progress = (done: number): void => {
    if (done === disk.length) setImmediate(() => cancel.abort(canceled));
  };
  const fetching = fetch({ ...run, progress }, deps, inputOf(origin));
  t.is(await t.throwsAsync(fetching), canceled);
  await until(() => deps.pool.stats().load === 0);
  t.deepEqual(readdirSync(join(root, 'staging')), []);
});

test('a stage that is canceled before it begins does nothing', async (t) => {
  const { deps, run } = await start(t);
  const canceled = new Error('canceled');
  const signal = AbortSignal.abort(canceled);
  t.is(await t.throwsAsync(fetch(run(signal), deps, inputOf('http://127.0.0.1:1/'))), canceled);
  t.is(await t.throwsAsync(inspect(run(signal), deps, { part: 'fetched', declared: 'DISK_FORMAT_RAW', maxVirtualBytes: 1n, requireRecognisedRaw: false })), canceled);
  t.is(await t.throwsAsync(storeStage(run(signal), deps, 'fetched')), canceled);
});

test('a source that fails leaves nothing staged', async (t) => {
  const { deps, root, run } = await start(t);
  const { origin } = await startBadServer(t, (_, response) => {
    response.writeHead(200, { 'content-length': disk.length });
    response.write(disk.subarray(0, 1_000_000), () => response.socket?.end());
  });
  t.like(await t.throwsAsync(fetch(run(), deps, inputOf(origin))), { failure: { reason: 'REASON_SOURCE_TRUNCATED' } });
  await until(() => deps.pool.stats().load === 0);
  t.deepEqual(readdirSync(join(root, 'staging')), []);
});

test('a refused inspection fails its stage', async (t) => {
  const { deps, run: newRun } = await start(t);
  const { origin } = await startBadServer(t, (_, response) => void response.end(disk));
  const run = newRun();
  await fetch(run, deps, inputOf(origin));
  const error = await t.throwsAsync(inspect(run, deps, { part: 'fetched', declared: 'DISK_FORMAT_QCOW2', maxVirtualBytes: 1n << 40n, requireRecognisedRaw: false }));
  t.like(error, { failure: { reason: 'REASON_FORMAT_MISMATCH' } });
});
