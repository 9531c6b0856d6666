import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import test from 'ava';

import type { BytesPool } from '../../src/bytes/bytes-pool.ts';
import { ratioFreeBytes, checkDecoded } from '../../src/bytes/decode-limits.ts';
import type { Decoded } from '../../src/bytes/jobs/decode-job.ts';
import { isRetryableReason, FailureError } from '../../src/domain/failures.ts';
import { checkTable } from '../../src/formats/check-table.ts';
import type { Wrapper } from '../../src/formats/wrapper.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { buildOva, descriptor } from '../archives/build-ova.ts';
import { badCompressed, zstdZeros } from '../codecs/bad-compressed.ts';
import { compress } from '../codecs/compress.ts';
import { buildQcow2 } from '../formats/build/qcow2.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';
import { noise } from '../formats/build/noise.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { sharePool, startPool, until } from './pool-fixture.ts';

const disk = Buffer.concat([buildRaw(mbr), noise(100_000 - (100_000 % 512), 3), Buffer.alloc(3 << 20)]);
const digest = `sha256:${createHash('sha256').update(disk).digest('hex')}`;

interface Options {
  readonly declared?: DiskFormat;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  readonly ticks?: [number, number][];
}

/** Decodes `bytes` in a pool; where the result is. */
async function decode(pool: BytesPool, folder: string, wrapper: Wrapper, bytes: Uint8Array, options: Options = {}): Promise<Decoded> {
  const { declared = 'DISK_FORMAT_UNSPECIFIED', maxBytes = 64 << 20, signal = new AbortController().signal, ticks = [] } = options;
  writeFileSync(join(folder, 'sent'), bytes);
  const target = { path: join(folder, 'decoded'), name: 'decoded' };
  const job = { path: join(folder, 'sent'), name: 'sent', wrapper, target, declared, maxBytes, maxRatio: 2000 };
  return pool.decode(job, { signal, progress: (done, total) => void ticks.push([done, total]) });
}

const packed: (readonly [string, Wrapper, () => Buffer, Record<string, string>])[] = [
  ['gzip', 'gzip', () => gzipSync(disk), { codec: 'gzip', members: '1' }],
  ['zstd', 'zstd', () => zstdCompressSync(disk, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }), { codec: 'zstd', members: '1', checksum: 'xxh64' }],
  ['an OVA', 'ova', () => buildOva({ disk }), { codec: 'none', members: '3', ova_disk: 'disk.vmdk', ova_manifest: 'vm.mf' }],
  ['an OVA whose disk is compressed', 'ova', () => buildOva({
    disk: gzipSync(disk), descriptor: descriptor({ file: 'ovf:id="file1" ovf:href="disk.vmdk" ovf:compression="gzip"' }),
  }), { codec: 'gzip', members: '3', ova_disk: 'disk.vmdk', ova_manifest: 'vm.mf' }],
];
if (hasTool('compressors')) {
  packed.push(['xz', 'xz', () => compress('xz', disk), { codec: 'xz', checksum: 'crc64' }]);
  packed.push(['bzip2', 'bzip2', () => compress('bzip2', disk), { codec: 'bzip2', members: '1' }]);
}

const sharedPool = sharePool();

for (const [name, wrapper, pack, facts] of packed) {
  test(`an image in ${name} lies decoded in a file of its own, with size and digest`, async (t) => {
    const { pool, folder } = sharedPool(t);
    const decoded = await decode(pool, folder, wrapper, pack());
    t.deepEqual(decoded, { sizeBytes: disk.length, digest, facts });
    t.true(readFileSync(join(folder, 'decoded')).equals(disk));
  });
}

for (const { check, reason, name, wrapper, build } of badCompressed) {
  test(`${check} refuses ${name}`, async (t) => {
    const { pool, folder } = sharedPool(t);
    const error = await t.throwsAsync(decode(pool, folder, wrapper, build()), { instanceOf: FailureError });
    const { metadata, message, retryable } = error.failure;
    t.deepEqual({ check: metadata['check'], reason: error.failure.reason, retryable }, { check, reason: `REASON_${reason}`, retryable: isRetryableReason[reason] }, message);
    t.true(message.endsWith(checkTable[check].remedy));
    t.regex(message, /^[ -~]+$/);
    t.regex(metadata['offset'] ?? '', /^\d+$/);
    t.false(existsSync(join(folder, 'decoded')));
  });
}

test('the declared format is that of the image inside, and its head is judged early', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const mismatch = await t.throwsAsync(decode(pool, folder, 'gzip', gzipSync(disk), { declared: 'DISK_FORMAT_QCOW2' }), { instanceOf: FailureError });
  t.is(mismatch.failure.metadata['check'], 'format.mismatch');
  const qcow2 = buildQcow2(3);
  t.is((await decode(pool, folder, 'gzip', gzipSync(qcow2), { declared: 'DISK_FORMAT_QCOW2' })).sizeBytes, qcow2.length);
});

test('an image that its head shows to be unfit stops the decoding', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const page = Buffer.concat([Buffer.from('<!doctype html>'), Buffer.alloc(40 << 20, 'x')]);
  const ticks: [number, number][] = [];
  const error = await t.throwsAsync(decode(pool, folder, 'gzip', gzipSync(page), { ticks }), { instanceOf: FailureError });
  t.is(error.failure.metadata['found'], 'HTML page');
  t.false(existsSync(join(folder, 'decoded')));
  t.is(pool.stats().load, 0);
});

test('a content that is as large as allowed passes, and one byte less is not allowed', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const error = await t.throwsAsync(decode(pool, folder, 'gzip', gzipSync(disk), { maxBytes: disk.length - 1 }), { instanceOf: FailureError });
  t.like(error.failure.metadata, { check: 'compressed.too_large', limit: String(disk.length - 1) });
  t.is((await decode(pool, folder, 'gzip', gzipSync(disk), { maxBytes: disk.length })).digest, digest);
});

test('the ratio counts beyond 4 GiB only', (t) => {
  const limits = { maxBytes: 2 ** 50, maxRatio: 2000 };
  t.notThrows(() => checkDecoded(ratioFreeBytes, 1, limits));
  t.notThrows(() => checkDecoded(ratioFreeBytes * 10, (ratioFreeBytes * 10) / 2000, limits));
  const error = t.throws(() => checkDecoded(ratioFreeBytes + 1, 1000, limits), { instanceOf: FailureError });
  t.deepEqual([error.failure.reason, error.failure.metadata], [
    'REASON_DECOMPRESSION_LIMIT',
    { check: 'compressed.ratio', offset: '1000', value: String(ratioFreeBytes + 1), limit: '2000' },
  ]);
});

test('a decoding that is given up ends at once, and its file is removed', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const stop = new AbortController();
  const running = decode(pool, folder, 'zstd', zstdZeros(8 * 2 ** 30), { maxBytes: 2 ** 40, signal: stop.signal });
  await until(() => existsSync(join(folder, 'decoded')));
  stop.abort(new Error('canceled'));
  await t.throwsAsync(running, { message: 'canceled' });
  await until(() => pool.stats().load === 0);
  t.false(existsSync(join(folder, 'decoded')));
});

test('decoders that together need more memory than a thread has wait for each other, and one that is given up leaves the line', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const large = zstdCompressSync(disk, { params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 } });
  const stop = new AbortController();
  const runs = Array.from({ length: 6 }, (_, index) => {
    const path = join(folder, `sent-${index}`);
    writeFileSync(path, index % 2 === 0 ? large : gzipSync(disk));
    const target = { path: join(folder, `decoded-${index}`), name: `decoded-${index}` };
    const limits = { maxBytes: 64 << 20, maxRatio: 2000 };
    const job = { path, name: 'sent', wrapper: index % 2 === 0 ? 'zstd' : 'gzip', target, declared: 'DISK_FORMAT_UNSPECIFIED', ...limits } as const;
    return pool.decode(job, { signal: index === 2 ? stop.signal : new AbortController().signal, progress: () => undefined });
  });
  stop.abort(new Error('canceled'));
  const outcomes = await Promise.allSettled(runs);
  t.deepEqual(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value.digest), [digest, digest, false, digest, digest, digest]);
});

test('progress counts the bytes as they were sent', async (t) => {
  const { pool, folder } = startPool(t, 1);
  const content = Buffer.concat([buildRaw(mbr), noise(30_000_256, 8)]);
  const sent = gzipSync(content, { level: 1 });
  const ticks: [number, number][] = [];
  await decode(pool, folder, 'gzip', sent, { ticks });
  t.true(ticks.length > 0);
  t.true(ticks.every(([done, total], index) => total === sent.length && done <= total && done >= (ticks[index - 1]?.[0] ?? 0)));
});
