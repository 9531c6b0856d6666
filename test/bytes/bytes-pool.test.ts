import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { checkpointEveryBytes, slotBytes, threadDeathLimit } from '../../src/bytes/bounds.ts';
import { BytesPool } from '../../src/bytes/bytes-pool.ts';
import type { SyncedPrefix } from '../../src/bytes/staged-file.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';
import { sharePool, startPool, until, writeAll } from './pool-fixture.ts';

const disk = buildRaw(mbr);
const html = Buffer.from('<!DOCTYPE html><html><body>Not found</body></html>\n'.padEnd(1024 * 1024));

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function diskOf(sizeBytes: number): Buffer {
  const bytes = Buffer.concat([disk, randomBytes(Math.max(0, sizeBytes - disk.length))]);
  return bytes.subarray(0, sizeBytes);
}

const sharedPool = sharePool();

for (const sizeBytes of [512, 65_536, slotBytes - 512, slotBytes, slotBytes + 512, 11 * slotBytes + 77]) {
  for (const chunkBytes of [65_536, 100_001, 3 * slotBytes]) {
    test(`${sizeBytes} bytes in chunks of ${chunkBytes} arrive whole, with their digest`, async (t) => {
      const { open } = sharedPool(t);
      const bytes = diskOf(sizeBytes);
      const { sink, path } = open('a');
      await writeAll(sink, bytes, chunkBytes);
      t.deepEqual(await sink.finish(), { sizeBytes, digest: digestOf(bytes) });
      t.true(readFileSync(path).equals(bytes));
      t.is(statSync(path).mode & 0o777, 0o600);
    });
  }
}

/** Nobody asks how far it is, or gives it up. */
const unwatched = { signal: new AbortController().signal, progress: () => undefined };

test('more bytes than an early flush waits for arrive whole, and no slot stays borrowed', async (t) => {
  const { pool, open } = startPool(t, 1);
  const bytes = diskOf(70 * 1024 * 1024);
  const { sink } = open('a');
  await writeAll(sink, bytes, 1024 * 1024);
  t.deepEqual(await sink.finish(), { sizeBytes: bytes.length, digest: digestOf(bytes) });
  t.like(pool.stats(), { borrowedSlots: 0, waiting: 0, load: 0 });
});

test('what has come is made durable when asked, with its digest, and more may follow', async (t) => {
  const { open } = sharedPool(t);
  const bytes = diskOf(3 * slotBytes);
  const { sink, path } = open('a');
  for (const sizeBytes of [100, slotBytes, 3 * slotBytes]) {
    await sink.write(bytes.subarray(existsSync(path) ? statSync(path).size : 0, sizeBytes));
    t.deepEqual(await sink.sync(), { sizeBytes, digest: digestOf(bytes.subarray(0, sizeBytes)) });
    t.is(statSync(path).size, sizeBytes);
  }
  t.deepEqual(await sink.finish(), { sizeBytes: bytes.length, digest: digestOf(bytes) });
});

test('a transfer that begins anew is one of what comes then, and its head is judged again', async (t) => {
  const { open } = sharedPool(t);
  const bytes = diskOf(3 * slotBytes);
  const good = open('good');
  await writeAll(good.sink, diskOf(5 * slotBytes), 100_000);
  good.sink.restart();
  await writeAll(good.sink, bytes, 100_000);
  t.deepEqual(await good.sink.finish(), { sizeBytes: bytes.length, digest: digestOf(bytes) });
  t.true(readFileSync(good.path).equals(bytes));
  const bad = open('bad');
  await writeAll(bad.sink, bytes, 100_000);
  bad.sink.restart();
  await writeAll(bad.sink, html, 100_000).catch(() => undefined);
  t.like(await bad.failed, { failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
});

test('a transfer that stops is kept as far as it came, even while it waits for a slot', async (t) => {
  const { open, pool } = startPool(t, 1);
  const bytes = diskOf(40 * slotBytes);
  const { sink, path } = open('a');
  // No thread can free slots within this turn.
  const writing = sink.write(bytes);
  const stopped = new Error('stopped');
  const kept = sink.keep(stopped);
  t.is(await t.throwsAsync(Promise.resolve(writing)), stopped);
  const { sizeBytes, digest } = await kept;
  t.is(sizeBytes, slotBytes * pool.stats().slots);
  t.is(digest, digestOf(bytes.subarray(0, sizeBytes)));
  t.is(statSync(path).size, sizeBytes);
  await sink.abort(stopped);
  t.true(existsSync(path));
});

test('how much has become durable is told every 64 MiB while more comes', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const told: SyncedPrefix[] = [];
  const bytes = diskOf(150 * 1024 * 1024);
  const sink = pool.openSink({
    path: join(folder, 'a'), name: 'a', declared: 'DISK_FORMAT_UNSPECIFIED', onFailure: () => undefined, onSynced: (prefix) => void told.push(prefix),
  });
  for (let at = 0; at < bytes.length; at += 1024 * 1024) {
    await sink.write(bytes.subarray(at, at + 1024 * 1024));
    // A flush that is under way is waited for, so that there are as many as can be.
    if (at % (32 * 1024 * 1024) === 0) await sink.sync();
  }
  await sink.finish();
  t.is(told.length, 2);
  for (const { sizeBytes, digest } of told) t.is(digest, digestOf(bytes.subarray(0, sizeBytes)));
  t.true(told[0]!.sizeBytes >= checkpointEveryBytes && told[1]!.sizeBytes >= 2 * checkpointEveryBytes);
});

test('a hundred slow transfers hold no slot, and a fast one among them has all that its thread has', async (t) => {
  const { pool, open } = startPool(t, 2);
  const slow = Array.from({ length: 100 }, (_, index) => open(`slow-${index}`));
  for (const { sink } of slow) t.is(await sink.write(disk.subarray(0, 1000)), undefined);
  await until(() => pool.stats().borrowedSlots === 0);
  t.like(pool.stats(), { borrowedSlots: 0, waiting: 0, load: 100 });

  const fast = open('fast');
  const bytes = diskOf(8 * 1024 * 1024);
  let most = 0;
  for (let at = 0; at < bytes.length; at += 65_536) {
    await fast.sink.write(bytes.subarray(at, at + 65_536));
    most = Math.max(most, pool.stats().borrowedSlots);
  }
  t.deepEqual(await fast.sink.finish(), { sizeBytes: bytes.length, digest: digestOf(bytes) });
  t.is(most, pool.stats().slots / 2);
  t.like(pool.stats(), { borrowedSlots: 0, waiting: 0, load: 100 });

  for (const { sink } of slow) await writeAll(sink, disk.subarray(1000), 65_536);
  const results = await Promise.all(slow.map(({ sink }) => sink.finish()));
  t.true(results.every(({ digest }) => digest === digestOf(disk)));
});

test('many transfers at once share the slots in turn and all end well', async (t) => {
  const { pool, open } = startPool(t, 2);
  const bytes = diskOf(3 * slotBytes);
  const results = await Promise.all(Array.from({ length: 64 }, async (_, index) => {
    const { sink } = open(String(index));
    await writeAll(sink, bytes, 65_536);
    t.true(pool.stats().borrowedSlots <= pool.stats().slots);
    return sink.finish();
  }));
  t.true(results.every(({ digest }) => digest === digestOf(bytes)));
  t.like(pool.stats(), { borrowedSlots: 0, waiting: 0, load: 0 });
});

test('content that its head shows to be no disk image fails before its end, and its file is removed', async (t) => {
  const { folder, open } = sharedPool(t);
  const { sink, failed } = open('a');
  await sink.write(html);
  t.like(await failed, { failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
  const error = t.throws(() => sink.write(html));
  t.is(error, await failed);
  t.is(await t.throwsAsync(sink.finish()), await failed);
  t.deepEqual(readdirSync(folder), []);
});

test('content shorter than a head is judged at its end', async (t) => {
  const { folder, open } = sharedPool(t);
  const { sink } = open('a');
  await sink.write(html.subarray(0, 60));
  t.like(await t.throwsAsync(sink.finish()), { failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
  const empty = open('b');
  t.like(await t.throwsAsync(empty.sink.finish()), { failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
  t.deepEqual(readdirSync(folder), []);
});

test('a file that exists is never written to, nor what a link leads to', async (t) => {
  const { folder, open } = startPool(t, 1);
  writeFileSync(join(folder, 'a'), 'precious');
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'b'));
  for (const name of ['a', 'b']) {
    const { sink } = open(name);
    await sink.write(disk);
    const error = await t.throwsAsync(sink.finish());
    t.like(error, { failure: { reason: 'REASON_STORE_UNAVAILABLE', metadata: { path: name, bytes: '0', system_error: 'EEXIST' } } });
  }
  t.is(readFileSync(join(folder, 'a'), 'utf8'), 'precious');
  t.false(existsSync(join(folder, 'elsewhere')));
});

test('an abort removes the file in whatever state the transfer is', async (t) => {
  const { pool, folder, open } = startPool(t, 1);
  const reason = new Error('canceled');

  await open('unopened').sink.abort(reason);

  const written = open('written');
  await written.sink.write(disk);
  await written.sink.abort(reason);
  t.is(t.throws(() => written.sink.write(disk)), reason);

  const waiting = open('waiting');
  const write = waiting.sink.write(Buffer.alloc(slotBytes * 40));
  t.true(write instanceof Promise);
  const aborted = waiting.sink.abort(reason);
  t.is(await t.throwsAsync(write!), reason);
  await aborted;

  const finishing = open('finishing');
  await finishing.sink.write(disk);
  const finish = finishing.sink.finish();
  const over = finishing.sink.abort(reason);
  t.is(await t.throwsAsync(finish), reason);
  await over;

  t.deepEqual(readdirSync(folder), []);
  await until(() => pool.stats().borrowedSlots === 0);
  t.like(pool.stats(), { borrowedSlots: 0, waiting: 0, load: 0 });
});

test('an abort that meets the end of the transfer removes the finished file', async (t) => {
  const { folder, open } = sharedPool(t);
  for (let turns = 0; turns < 40; turns += 1) {
    const { sink, path } = open(String(turns));
    await sink.write(disk);
    const finish = sink.finish().catch((error: unknown) => error);
    let left = turns;
    await until(() => existsSync(path) && left-- <= 0);
    await sink.abort(new Error('canceled'));
    const outcome = await finish;
    // Finished before the abort: then the file is whole and the caller's.
    t.is(existsSync(path), !(outcome instanceof Error));
  }
  t.true(readdirSync(folder).length <= 40);
});

test('a thread that dies fails what was pinned to it, and another takes its place', async (t) => {
  const { pool, threads, deaths, open } = startPool(t, 1);
  const { sink, failed } = open('a');
  await sink.write(disk);
  await until(() => pool.stats().borrowedSlots === 0);
  const inspection = pool.inspect({ path: '/nowhere', name: 'nowhere', declared: 'DISK_FORMAT_RAW', maxVirtualBytes: 1n, depth: 'guest' }, unwatched);
  const [rejected] = await Promise.all([t.throwsAsync(inspection), threads[0]!.terminate()]);
  t.like(rejected, { failure: { reason: 'REASON_STORE_UNAVAILABLE', retryable: true } });
  t.like(await failed, { failure: { reason: 'REASON_STORE_UNAVAILABLE', retryable: true } });
  t.regex((await failed).message, /thread .* ended unexpectedly/);
  t.is(await t.throwsAsync(sink.finish()), await failed);

  t.deepEqual(deaths, ['it was stopped']);
  t.is(threads.length, 2);
  const next = open('b');
  await next.sink.write(disk);
  t.deepEqual(await next.sink.finish(), { sizeBytes: disk.length, digest: digestOf(disk) });
});

test('threads that die at once are not started for ever', async (t) => {
  let started = 0;
  const pool = new BytesPool(1, {
    startThread() {
      started += 1;
      return new Worker('throw new Error("broken")', { eval: true });
    },
  });
  await until(() => pool.stats().threads === 0);
  t.is(started, threadDeathLimit);
  const inspection = pool.inspect({ path: '/nowhere', name: 'nowhere', declared: 'DISK_FORMAT_RAW', maxVirtualBytes: 1n, depth: 'guest' }, unwatched);
  t.like(await t.throwsAsync(inspection), { failure: { reason: 'REASON_STORE_UNAVAILABLE' } });
});

test('stored bytes are judged whole', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const limits = { maxVirtualBytes: 1n << 40n };
  writeFileSync(join(folder, 'disk'), disk);
  writeFileSync(join(folder, 'html'), html);
  const inspect = (name: string): ReturnType<BytesPool['inspect']> =>
    pool.inspect({ path: join(folder, name), name, declared: 'DISK_FORMAT_UNSPECIFIED', ...limits, depth: 'guest' }, unwatched);
  t.like(await inspect('disk'), { kind: 'accepted', format: 'DISK_FORMAT_RAW', virtualSizeBytes: BigInt(disk.length) });
  t.like(await inspect('html'), { kind: 'refused', failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
  t.like(await t.throwsAsync(inspect('missing')), {
    failure: { reason: 'REASON_STORE_UNAVAILABLE', metadata: { path: 'missing', bytes: '0', system_error: 'ENOENT' } },
  });
});

test('a pool without threads takes nothing, and says so', (t) => {
  const pool = new BytesPool(0);
  const error = t.throws(() => pool.openSink({ path: '/x', name: 'x', declared: 'DISK_FORMAT_RAW', onFailure: () => t.fail() }));
  t.like(error, { failure: { reason: 'REASON_STORE_UNAVAILABLE' } });
});
