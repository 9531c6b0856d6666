import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SparseWriter } from '../../src/bytes/sparse-writer.ts';
import { seededRandom } from '../domain/seeded-random.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';
import { startPool, writeAll } from './pool-fixture.ts';

const mebibyte = 1024 * 1024;

interface Written {
  readonly bytes: Buffer;
  readonly allocatedBytes: number;
}

function write(t: ExecutionContext, content: Uint8Array, pieceBytes: () => number): Written {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-sparse-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a');
  const fd = openSync(path, 'wx+');
  const writer = new SparseWriter(fd);
  for (let at = 0; at < content.length; ) {
    const length = pieceBytes();
    writer.append(content.subarray(at, at + length));
    at = Math.min(content.length, at + length);
  }
  writer.extend();
  closeSync(fd);
  t.is(writer.sizeBytes, content.length);
  return { bytes: readFileSync(path), allocatedBytes: statSync(path).blocks * 512 };
}

const noise = (sizeBytes: number): Buffer => randomBytes(sizeBytes);
const none = (sizeBytes: number): Buffer => Buffer.alloc(sizeBytes);

const contents: readonly {
  readonly what: string;
  readonly bytes: Buffer;
  readonly atMostBytes: number;
  readonly atLeastBytes?: number;
}[] = [
  { what: 'nothing', bytes: none(0), atMostBytes: 0 },
  { what: 'zeros only', bytes: none(8 * mebibyte + 77), atMostBytes: 0 },
  { what: 'data only', bytes: noise(mebibyte + 77), atMostBytes: 2 * mebibyte, atLeastBytes: mebibyte },
  { what: 'zeros behind data', bytes: Buffer.concat([noise(100_001), none(4 * mebibyte)]), atMostBytes: 128 * 1024 },
  { what: 'data behind zeros', bytes: Buffer.concat([none(4 * mebibyte + 1), noise(100_001)]), atMostBytes: 128 * 1024 },
  { what: 'zeros amid data', bytes: Buffer.concat([noise(70_001), none(4 * mebibyte), noise(70_001)]), atMostBytes: 256 * 1024 },
  {
    // So short a run is not worth an extent of its own.
    what: 'few zeros amid data',
    bytes: Buffer.concat([noise(40_960), none(32_768), noise(40_960)]),
    atMostBytes: mebibyte,
    atLeastBytes: 110_000,
  },
];

for (const { what, bytes, atMostBytes, atLeastBytes = 0 } of contents) {
  test(`${what}: the file is the same, and takes no room for zeros`, (t) => {
    const written = write(t, bytes, () => 256 * 1024);
    t.true(written.bytes.equals(bytes));
    t.true(written.allocatedBytes <= atMostBytes, `${written.allocatedBytes} bytes are allocated`);
    t.true(written.allocatedBytes >= atLeastBytes, `${written.allocatedBytes} bytes are allocated`);
  });
}

test('pieces of any length, with zeros anywhere, make the same file', (t) => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const runs = Array.from({ length: 60 }, (_, index) => {
      const length = Math.trunc(random() ** 4 * 400_000);
      return index % 2 === 0 ? none(length) : noise(length);
    });
    const bytes = Buffer.concat(runs);
    const written = write(t, bytes, () => 1 + Math.trunc(random() ** 3 * 262_144));
    t.true(written.bytes.equals(bytes), `seed ${seed}`);
  }
});

test('a transfer of a mostly empty disk takes room for its data only, and its digest is of all bytes', async (t) => {
  const { open } = startPool(t, 1);
  const bytes = Buffer.concat([buildRaw(mbr), none(16 * mebibyte), noise(100_000), none(8 * mebibyte)]);
  const { sink, path } = open('a');
  await writeAll(sink, bytes, 65_536);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  t.deepEqual(await sink.finish(), { sizeBytes: bytes.length, digest });
  t.true(readFileSync(path).equals(bytes));
  const { size, blocks } = statSync(path);
  t.is(size, bytes.length);
  t.true(blocks * 512 < mebibyte, `${blocks * 512} bytes are allocated`);
});

test('what is decoded takes no room for zeros either', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const bytes = Buffer.concat([buildRaw(mbr), none(16 * mebibyte), noise(100_000)]);
  writeFileSync(join(folder, 'a'), gzipSync(bytes));
  const target = { path: join(folder, 'b'), name: 'b' };
  await pool.decode(
    { path: join(folder, 'a'), name: 'a', wrapper: 'gzip', target, declared: 'DISK_FORMAT_RAW', maxBytes: 2 ** 30, maxRatio: 1_000 },
    { signal: new AbortController().signal, progress: () => undefined },
  );
  t.true(readFileSync(target.path).equals(bytes));
  t.true(statSync(target.path).blocks * 512 < mebibyte);
});
