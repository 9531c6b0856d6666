import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { BytesPool } from '../../src/bytes/bytes-pool.ts';
import type { Sink } from '../../src/bytes/sink.ts';
import { startPoolThread } from '../../src/bytes/thread-link.ts';

/** A pool with its threads and a folder, gone after the test. */
export interface PoolFixture {
  readonly pool: BytesPool;
  readonly folder: string;
  /** All threads that were ever started. */
  readonly threads: readonly Worker[];
  /** Why threads died. */
  readonly deaths: readonly string[];
  /** A sink into `name`, and what it reported before `finish` or `write` did. */
  open(name: string): { readonly sink: Sink; readonly path: string; readonly failed: Promise<Error> };
}

/** Starts a pool of so many threads. */
export function startPool(t: ExecutionContext, workers: number): PoolFixture {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-pool-'));
  const threads: Worker[] = [];
  const deaths: string[] = [];
  const pool = new BytesPool(workers, {
    startThread(data) {
      const thread = startPoolThread(data);
      threads.push(thread);
      return thread;
    },
    onThreadDeath: (cause) => deaths.push(cause),
  });
  t.teardown(async () => {
    await pool.close();
    rmSync(folder, { recursive: true });
  });
  return { pool, folder, threads, deaths, open: (name) => openSink(pool, folder, name) };
}

/**
 * One pool of one thread for many tests of a file, which each have a folder of their own: starting a thread takes longer than most of
 * them. Not for those that ask what the pool does.
 */
export function sharePool(): (t: ExecutionContext) => Pick<PoolFixture, 'pool' | 'folder' | 'open'> {
  const pool = new BytesPool(1);
  test.after.always(() => pool.close());
  return (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lehr-pool-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    return { pool, folder, open: (name) => openSink(pool, folder, name) };
  };
}

function openSink(pool: BytesPool, folder: string, name: string): ReturnType<PoolFixture['open']> {
  const path = join(folder, name);
  const failed = Promise.withResolvers<Error>();
  const sink = pool.openSink({ path, name, declared: 'DISK_FORMAT_UNSPECIFIED', onFailure: failed.resolve });
  return { sink, path, failed: failed.promise };
}

/** Writes `bytes` in chunks, waiting where the pool says so. */
export async function writeAll(sink: Sink, bytes: Uint8Array, chunkBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) await sink.write(bytes.subarray(at, at + chunkBytes));
}

/** Lets the event loop turn until `condition` holds; the test's time-out is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
