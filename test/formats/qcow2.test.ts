import test from 'ava';

import type { ByteReader } from '../../src/formats/reading/byte-reader.ts';
import type { Extent } from '../../src/formats/guest/extent.ts';
import { inspect } from '../../src/formats/inspect.ts';
import { qcow2 } from '../../src/formats/qcow2/qcow2.ts';
import { badQcow2 } from './build/bad-qcow2.ts';
import { u32be, u64be } from './build/change.ts';
import type { Change } from './build/change.ts';
import { guestBytes } from './build/guest-bytes.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { noise } from './build/noise.ts';
import {
  bitmapParts,
  buildExtendedQcow2,
  buildFilledQcow2,
  buildQcow2,
  buildScatteredQcow2,
  clusterBytes,
  compressedEntry,
  entry,
  extendedEntry,
  filled,
  filledGuest,
  l2Entry,
  refcount,
  scatteredGuest,
  withBitmap,
} from './build/qcow2.ts';
import { SparseReader } from './build/sparse-reader.ts';

const limits = { maxVirtualBytes: 2n ** 63n };
const end = 9 * clusterBytes;

const walk = (image: Buffer): readonly Extent[] => [...qcow2.open(new MemoryReader(image)).walk()];
const guestOf = (image: Buffer): Buffer => guestBytes(new MemoryReader(image), walk(image));

/** What the judgement of headers and tables says: the metadata of the refusal, or nothing. */
function judge(file: ByteReader): Readonly<Record<string, string>> | undefined {
  const verdict = inspect(file, 'DISK_FORMAT_QCOW2', limits, 'tables');
  return verdict.kind === 'refused' ? verdict.failure.metadata : undefined;
}

test('clusters of each kind become extents, and neighbours are merged', (t) => {
  const [first, second] = [compressedEntry(filled.compressed, 100), compressedEntry(filled.compressed + 100, 1500)];
  const image = buildFilledQcow2(3, l2Entry(2, first), l2Entry(3, second));
  t.deepEqual(walk(image), [
    { kind: 'stored', lengthBytes: 2 * clusterBytes, offset: filled.first },
    { kind: 'compressed', lengthBytes: clusterBytes, offset: filled.compressed, storedBytes: 512, codec: 'deflate' },
    { kind: 'compressed', lengthBytes: clusterBytes, offset: filled.compressed + 100, storedBytes: 2048 - 100, codec: 'deflate' },
    { kind: 'zero', lengthBytes: 12 * clusterBytes },
  ]);
});

test('subclusters become extents of their own', (t) => {
  const image = buildExtendedQcow2(extendedEntry(4, entry(filled.preallocated), 0x0f, 1 << 31 | 0xf0));
  t.deepEqual(walk(image), [
    { kind: 'stored', lengthBytes: clusterBytes + clusterBytes / 2, offset: filled.first },
    { kind: 'zero', lengthBytes: clusterBytes / 2 },
    { kind: 'compressed', lengthBytes: clusterBytes, offset: filled.compressed, storedBytes: 512, codec: 'deflate' },
    { kind: 'zero', lengthBytes: clusterBytes + 4 * 2048 },
    { kind: 'stored', lengthBytes: 4 * 2048, offset: filled.preallocated + 4 * 2048 },
    { kind: 'zero', lengthBytes: 23 * 2048 },
    { kind: 'stored', lengthBytes: 2048, offset: filled.preallocated + 31 * 2048 },
    { kind: 'zero', lengthBytes: 11 * clusterBytes },
  ]);
});

const guests: readonly (readonly [name: string, image: Buffer, guest: Buffer])[] = [
  ['version 3', buildFilledQcow2(3), filledGuest()],
  ['version 2', buildFilledQcow2(2), filledGuest()],
  ['tables behind and between the data', buildScatteredQcow2(), scatteredGuest()],
  ['nothing', buildQcow2(3), Buffer.alloc(2 ** 20)],
  ['a bitmap', withBitmap(), filledGuest()],
];

for (const [name, image, guest] of guests) {
  test(`the guest reads what was put in: ${name}`, (t) => {
    t.is(judge(new MemoryReader(image)), undefined);
    t.is(Buffer.compare(guestOf(image), guest), 0);
  });
}

test('what the last cluster lacks because the file ends there reads as zeros', (t) => {
  const image = buildFilledQcow2(3, l2Entry(5, entry(filled.preallocated))).subarray(0, filled.preallocated + 1000);
  image.fill(7, filled.preallocated);
  t.is(judge(new MemoryReader(image)), undefined);
  t.deepEqual(walk(image).slice(-2), [
    { kind: 'stored', lengthBytes: 1000, offset: filled.preallocated },
    { kind: 'zero', lengthBytes: 11 * clusterBytes - 1000 },
  ]);
});

test('a subcluster beyond the end of the file reads as zeros, since its cluster begins inside', (t) => {
  const image = buildExtendedQcow2(extendedEntry(4, entry(filled.preallocated), 0, 2)).subarray(0, filled.preallocated + 512);
  t.is(judge(new MemoryReader(image)), undefined);
  t.deepEqual(walk(image).at(-1), { kind: 'zero', lengthBytes: 13 * clusterBytes });
});

test('compressed data end with the file at the latest', (t) => {
  const offset = filled.compressed + 512;
  const image = buildFilledQcow2(3, l2Entry(3, compressedEntry(offset, clusterBytes)), l2Entry(5, 1n)).subarray(0, offset + 188);
  t.deepEqual(walk(image).at(-2), { kind: 'compressed', lengthBytes: clusterBytes, offset, storedBytes: 188, codec: 'deflate' });
});

test('the last cluster is cut to the end of the disk, which is whole sectors', (t) => {
  const image = buildFilledQcow2(3, u64be(24, BigInt(3 * clusterBytes + 1000)));
  t.is(qcow2.open(new MemoryReader(image)).sizeBytes, BigInt(3 * clusterBytes + 512));
  t.like(walk(image).at(-1), { kind: 'compressed', lengthBytes: 512 });
  t.is(Buffer.compare(guestOf(image), filledGuest().subarray(0, 3 * clusterBytes + 512)), 0);
});

test('L1 entries beyond the end of the disk are judged but not read', (t) => {
  const image = buildFilledQcow2(3, u32be(36, 2), u64be(filled.l1 + 8, entry(filled.preallocated)), l2Entry(5, 1n));
  noise(clusterBytes, 4).copy(image, filled.preallocated);
  t.is(judge(new MemoryReader(image)), undefined);
  t.is(Buffer.compare(guestOf(image), filledGuest()), 0);
});

const places: readonly (readonly [image: Buffer, check: string, offset: number, value: number | string])[] = [
  [buildFilledQcow2(3, u64be(filled.l1, entry(end))), 'qcow2.l2_table', filled.l1, end],
  [buildFilledQcow2(3, u64be(filled.l1, entry(filled.l2) | 1n)), 'qcow2.l2_table', filled.l1, '0x8000000000040001'],
  [buildFilledQcow2(3, l2Entry(7, entry(end))), 'qcow2.cluster', filled.l2 + 56, end],
  [buildFilledQcow2(3, l2Entry(7, 2n ** 55n)), 'qcow2.cluster', filled.l2 + 56, '36028797018963968'],
  [buildFilledQcow2(3, l2Entry(7, 2n)), 'qcow2.l2_entry', filled.l2 + 56, '0x2'],
  [buildExtendedQcow2(extendedEntry(1, entry(filled.second), 1, 3)), 'qcow2.l2_entry', filled.l2 + 24, '0x100000003'],
  [buildFilledQcow2(3, l2Entry(7, compressedEntry(end, 10))), 'qcow2.compressed', filled.l2 + 56, end],
  [buildFilledQcow2(3, l2Entry(7, entry(filled.l1))), 'qcow2.overlap', filled.l2 + 56, filled.l1],
  [buildFilledQcow2(3, refcount(6, 0)), 'qcow2.refcount', filled.l2 + 8, filled.second],
  [buildFilledQcow2(3, refcount(3, 0)), 'qcow2.refcount', 40, filled.l1],
  [buildFilledQcow2(3, u64be(filled.refcountTable + 8, 3n)), 'qcow2.refcount_block', filled.refcountTable + 8, 3],
  [withBitmap(u64be(bitmapParts.table, 2n)), 'qcow2.bitmaps_extension', bitmapParts.table, '0x2'],
  [withBitmap(u64be(bitmapParts.directory, 8n)), 'qcow2.bitmaps_extension', bitmapParts.directory, 8],
];

for (const [image, check, offset, value] of places) {
  test(`${check} says where it stands, ${offset}, and what stands there, ${value}`, (t) => {
    t.deepEqual(judge(new MemoryReader(image)), { check, offset: String(offset), value: String(value) });
  });
}

test('every refusal of a qcow2 says where it stands and what stands there', (t) => {
  for (const { name, build } of badQcow2) {
    const verdict = inspect(new MemoryReader(build()), 'DISK_FORMAT_UNSPECIFIED', limits);
    const { offset = '', value = '' } = verdict.kind === 'refused' ? verdict.failure.metadata : {};
    t.regex(offset, /^\d+$/, name);
    t.not(value, '', name);
  }
});

/** Rewrites the reference counts, one for each cluster, as numbers of `bits` bits. */
function counts(bits: number, ...values: readonly number[]): Change {
  return (image) => {
    image.fill(0, filled.refcounts, filled.l1);
    image.writeUInt32BE(Math.log2(bits), 96);
    values.forEach((value, cluster) => {
      const at = filled.refcounts + Math.floor((cluster * bits) / 8);
      if (bits < 8) image[at]! |= value << ((cluster * bits) % 8);
      else image.writeUInt8(value, at + bits / 8 - 1);
    });
  };
}

for (const bits of [1, 2, 4, 8, 16, 32, 64]) {
  test(`reference counts of ${bits} bits are read`, (t) => {
    t.is(judge(new MemoryReader(buildFilledQcow2(3, counts(bits, 1, 1, 1, 1, 1, 1, 1, 1, 1)))), undefined);
    for (const cluster of [0, 5, 6, 8]) {
      const ones = Array.from({ length: 9 }, (_, index) => (index === cluster ? 0 : 1));
      t.like(judge(new MemoryReader(buildFilledQcow2(3, counts(bits, ...ones)))), { check: 'qcow2.refcount', value: String(cluster * clusterBytes) });
    }
  });
}

function numbers(...values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => bytes.writeBigUInt64BE(value, 8 * index));
  return bytes;
}

/** A disk of 32 KiB with clusters of 512 bytes in a file of 5 GiB, whose data are behind the first 4 GiB. */
function farQcow2(entries: readonly bigint[], counts: readonly number[]): SparseReader {
  const header = buildQcow2(2, u32be(20, 9), u64be(24, 32_768n), u64be(40, 512n), u64be(48, 4096n), u32be(56, 600)).subarray(0, 512);
  const ones = Buffer.alloc(512, Buffer.from([0, 1]));
  const far = Buffer.alloc(512);
  counts.forEach((count, cluster) => far.writeUInt16BE(count, 2 * cluster));
  return new SparseReader(5 * 2 ** 30, [
    [0, header],
    [512, numbers(entry(1024))],
    [1024, numbers(...entries)],
    [1536, Buffer.concat([ones, far, ones, ones])],
    [4096, numbers(1536n, 2560n, 3072n)],
    [4096 + 32_768 * 8, numbers(2048n)],
  ]);
}

const farCluster = 4 * 2 ** 30;

test('what is behind the first 4 GiB of a file is judged in a later pass', (t) => {
  const sound = [entry(farCluster), entry(farCluster + 1024)];
  t.is(judge(farQcow2(sound, [1, 0, 1])), undefined);
  t.deepEqual(judge(farQcow2([...sound, entry(farCluster)], [1, 0, 1])), { check: 'qcow2.overlap', offset: '1040', value: String(farCluster) });
  t.deepEqual(judge(farQcow2(sound, [1, 1, 0])), { check: 'qcow2.refcount', offset: '1032', value: String(farCluster + 1024) });
  t.deepEqual(judge(farQcow2([...sound, entry(farCluster + 2 ** 29)], [1, 0, 1])), {
    check: 'qcow2.refcount',
    offset: '1040',
    value: String(farCluster + 2 ** 29),
  });
});

test('a disk of 64 TiB costs no more than its tables, piece by piece', (t) => {
  const sizes = [u32be(20, 21), u64be(24, 2n ** 46n), u32be(36, 128)];
  const header = buildQcow2(2, ...sizes, u64be(40, 3n * 2n ** 21n), u64be(48, 2n ** 21n));
  const l1 = Buffer.alloc(1024);
  for (let table = 0; table < 8; table += 1) l1.writeBigUInt64BE(entry((table + 4) * 2 ** 21), table * 128);
  const reader = new SparseReader(12 * 2 ** 21, [[0, header.subarray(0, 512)], [3 * 2 ** 21, l1]]);
  const disk = qcow2.open(reader);
  const before = reader.bytesRead;
  reader.mostAtOnce = 0;
  let guest = 0;
  let extents = 0;
  let mostBetween = 0;
  let read = before;
  for (const { lengthBytes } of disk.walk()) {
    guest += lengthBytes;
    extents += 1;
    mostBetween = Math.max(mostBetween, reader.bytesRead - read);
    read = reader.bytesRead;
  }
  t.is(guest, 2 ** 46);
  t.is(read - before, 1024 + 8 * 2 ** 21);
  t.is(extents, 8 * 128 + 1);
  t.true(reader.mostAtOnce <= 65_536 && mostBetween <= 65_536, `${reader.mostAtOnce} ${mostBetween}`);
});

test('large pieces of data are split for whoever reads them whole', (t) => {
  const table = numbers(...Array.from({ length: 8192 }, (_, index) => entry((5 + index) * clusterBytes)));
  const image = buildFilledQcow2(3, u64be(24, 2n ** 29n));
  const reader = new SparseReader(5 * clusterBytes + 2 ** 29, [[0, image.subarray(0, filled.l2)], [filled.l2, table]]);
  const extents = [...qcow2.open(reader).walk()];
  t.deepEqual(extents[0], { kind: 'stored', lengthBytes: 2 ** 24, offset: filled.first });
  t.deepEqual([...new Set(extents.map(({ kind, lengthBytes }) => `${kind} ${lengthBytes}`))], ['stored 16777216']);
});
