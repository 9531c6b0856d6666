import { deflateRawSync } from 'node:zlib';

import { changed, u16be, u64be } from './change.ts';
import type { Change } from './change.ts';
import { noise } from './noise.ts';

export const clusterBytes = 65536;

/** An empty qcow2 of 1 MiB: header, reference count table and block, L1 table, a cluster each (qcow2.txt). */
export function buildQcow2(version: 2 | 3, ...changes: readonly Change[]): Buffer {
  const image = Buffer.alloc(4 * clusterBytes);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(version, 4);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(1024n * 1024n, 24);
  image.writeUInt32BE(1, 36);
  image.writeBigUInt64BE(BigInt(3 * clusterBytes), 40);
  image.writeBigUInt64BE(BigInt(clusterBytes), 48);
  image.writeUInt32BE(1, 56);
  if (version === 3) {
    image.writeUInt32BE(4, 96);
    image.writeUInt32BE(112, 100);
  }
  image.writeBigUInt64BE(BigInt(2 * clusterBytes), clusterBytes);
  for (let cluster = 0; cluster < 4; cluster += 1) image.writeUInt16BE(1, 2 * clusterBytes + 2 * cluster);
  return changed(image, ...changes);
}

/** A header extension at `offset`; the first stands at the header's end, 72 or 112. */
export function extension(offset: number, type: number, data: string): Change {
  return (image) => {
    image.writeUInt32BE(type, offset);
    image.writeUInt32BE(data.length, offset + 4);
    image.write(data, offset + 8, 'latin1');
  };
}

/** Where the clusters of `buildFilledQcow2` are, beside those of an empty image. */
export const filled = {
  l1: 3 * clusterBytes,
  l2: 4 * clusterBytes,
  first: 5 * clusterBytes,
  second: 6 * clusterBytes,
  compressed: 7 * clusterBytes,
  preallocated: 8 * clusterBytes,
  refcountTable: clusterBytes,
  refcounts: 2 * clusterBytes,
} as const;

const copied = 2n ** 63n;
const compressedFlag = 2n ** 62n;
export const compressedGuest: readonly Buffer[] = [Buffer.alloc(clusterBytes, 'one '), Buffer.alloc(clusterBytes, 'two ')];

/** An L2 entry for a compressed cluster of `lengthBytes` at `offset`. */
export function compressedEntry(offset: number, lengthBytes: number): bigint {
  const sectors = Math.floor((offset + lengthBytes - 1) / 512) - Math.floor(offset / 512);
  return compressedFlag | (BigInt(sectors) << 54n) | BigInt(offset);
}

/** An entry of an L1 or L2 table for what is counted once. */
export function entry(offset: number): bigint {
  return copied | BigInt(offset);
}

/** Another entry in the L2 table of `buildFilledQcow2`. */
export function l2Entry(index: number, value: bigint): Change {
  return u64be(filled.l2 + index * 8, value);
}

/** Another reference count of a cluster. */
export function refcount(cluster: number, count: number): Change {
  return u16be(filled.refcounts + 2 * cluster, count);
}

/**
 * A qcow2 of 1 MiB whose first clusters are of every kind: two of data, two compressed ones that share a host cluster, zeros,
 * preallocated zeros, and the rest unallocated.
 */
export function buildFilledQcow2(version: 2 | 3, ...changes: readonly Change[]): Buffer {
  const image = Buffer.concat([buildQcow2(version), Buffer.alloc(5 * clusterBytes)]);
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = compressedGuest.map((bytes) => deflateRawSync(bytes));
  noise(clusterBytes, 1).copy(image, filled.first);
  noise(clusterBytes, 2).copy(image, filled.second);
  first.copy(image, filled.compressed);
  second.copy(image, filled.compressed + first.length);
  return changed(
    image,
    u64be(filled.l1, entry(filled.l2)),
    l2Entry(0, entry(filled.first)),
    l2Entry(1, entry(filled.second)),
    l2Entry(2, compressedEntry(filled.compressed, first.length)),
    l2Entry(3, compressedEntry(filled.compressed + first.length, second.length)),
    ...(version === 3 ? [l2Entry(4, 1n), l2Entry(5, entry(filled.preallocated) | 1n)] : []),
    ...[4, 5, 6, 7, 8].map((cluster) => refcount(cluster, cluster === 7 ? 2 : 1)),
    ...changes,
  );
}

/** What the guest reads of `buildFilledQcow2(3)`. */
export function filledGuest(): Buffer {
  return Buffer.concat([noise(clusterBytes, 1), noise(clusterBytes, 2), ...compressedGuest, Buffer.alloc(12 * clusterBytes)]);
}

/** The same with extended L2 entries: the first cluster is whole, of the second the first 16 subclusters, and one reads as zeros. */
export function buildExtendedQcow2(...changes: readonly Change[]): Buffer {
  const image = buildFilledQcow2(3, u64be(72, 16n), (bytes) => bytes.fill(0, filled.l2, filled.first));
  return changed(
    image,
    extendedEntry(0, entry(filled.first), 0, 0xffff_ffff),
    extendedEntry(1, entry(filled.second), 1 << 20, 0xffff),
    extendedEntry(2, compressedEntry(filled.compressed, 200), 0, 0),
    extendedEntry(3, 0n, 0xff, 0),
    refcount(7, 1),
    ...changes,
  );
}

/** Another extended entry, with its bitmaps of subclusters that read as zeros and that are stored. */
export function extendedEntry(index: number, value: bigint, zeros: number, stored: number): Change {
  return (image) => {
    image.writeBigUInt64BE(value, filled.l2 + index * 16);
    image.writeUInt32BE(zeros >>> 0, filled.l2 + index * 16 + 8);
    image.writeUInt32BE(stored >>> 0, filled.l2 + index * 16 + 12);
  };
}

/** Where the parts of the bitmaps of `withBitmap` are. */
export const bitmapParts = { extension: 112, directory: 9 * clusterBytes, table: 10 * clusterBytes, data: 11 * clusterBytes } as const;

/** Adds a dirty bitmap to `buildFilledQcow2`: extension, directory, table and a cluster of data. */
export function withBitmap(...changes: readonly Change[]): Buffer {
  const image = Buffer.concat([buildFilledQcow2(3), Buffer.alloc(3 * clusterBytes)]);
  const { extension: at, directory, table, data } = bitmapParts;
  image.writeBigUInt64BE(1n, 88);
  extension(at, 0x23852875, 'x'.repeat(24))(image);
  image.writeUInt32BE(1, at + 8);
  image.writeUInt32BE(0, at + 12);
  image.writeBigUInt64BE(32n, at + 16);
  image.writeBigUInt64BE(BigInt(directory), at + 24);
  image.writeBigUInt64BE(BigInt(table), directory);
  image.writeUInt32BE(1, directory + 8);
  image.writeUInt32BE(2, directory + 12);
  image.writeUInt8(1, directory + 16);
  image.writeUInt8(16, directory + 17);
  image.writeUInt16BE(7, directory + 18);
  image.write('changes', directory + 24, 'latin1');
  image.writeBigUInt64BE(BigInt(data), table);
  return changed(image, refcount(9, 1), refcount(10, 1), refcount(11, 1), ...changes);
}

/** The same disk as `buildFilledQcow2(2)` begins with, but with its tables behind and between the data, and these in reverse. */
export function buildScatteredQcow2(...changes: readonly Change[]): Buffer {
  const image = Buffer.concat([buildQcow2(2), Buffer.alloc(6 * clusterBytes)]);
  image.fill(0, clusterBytes);
  noise(clusterBytes, 1).copy(image, 3 * clusterBytes);
  noise(clusterBytes, 2).copy(image, clusterBytes);
  return changed(
    image,
    u64be(40, BigInt(9 * clusterBytes)),
    u64be(48, BigInt(7 * clusterBytes)),
    u64be(7 * clusterBytes, BigInt(5 * clusterBytes)),
    u64be(9 * clusterBytes, entry(2 * clusterBytes)),
    u64be(2 * clusterBytes, entry(3 * clusterBytes)),
    u64be(2 * clusterBytes + 8, entry(clusterBytes)),
    ...[0, 1, 2, 3, 5, 7, 9].map((cluster) => u16be(5 * clusterBytes + 2 * cluster, 1)),
    ...changes,
  );
}

/** What the guest reads of `buildScatteredQcow2()`. */
export function scatteredGuest(): Buffer {
  return Buffer.concat([noise(clusterBytes, 1), noise(clusterBytes, 2), Buffer.alloc(14 * clusterBytes)]);
}
