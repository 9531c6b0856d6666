import { ceilDivide, isInside } from '../reading/bounds.ts';
import type { ByteReader } from '../reading/byte-reader.ts';
import type { Codec } from '../guest/extent.ts';
import { hasExtendedL2 } from './qcow2-features.ts';
import type { Qcow2BitmapDirectory, Qcow2Extensions } from './qcow2-extensions.ts';
import { qcow2Fields as at, shortestQcow2Header } from './qcow2-header.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import { refuse } from '../refuse.ts';

/** qemu's bounds (block/qcow2.h), set after CVE-2014-0143 and its family: tables are read into memory whole. */
const l1TableLimitBytes = 32n * 1024n * 1024n;
const refcountTableLimitBytes = 8n * 1024n * 1024n;
/** Clusters of 512 bytes to 2 MiB. */
const smallestClusterBits = 9;
const largestClusterBits = 21;
/** Below, a subcluster would be smaller than a sector. */
const smallestExtendedClusterBits = 14;
const sectorBytes = 512n;

/** The bytes of the header's cluster; for a size that is none (`checkQcow2Geometry` refuses it) the next that is one. */
export function qcow2HeaderBytes(clusterBits: number): number {
  return 2 ** Math.min(Math.max(clusterBits, smallestClusterBits), largestClusterBits);
}

/** Where the tables of an image are and how they are read: what its header says, once judged. Offsets are inside the file. */
export interface Qcow2Layout {
  readonly version: 2 | 3;
  readonly fileBytes: number;
  /** Whole sectors of 512 bytes. Exact as a number, since the L1 table's bound leaves it below 2^62. */
  readonly diskBytes: number;
  readonly clusterBits: number;
  readonly clusterBytes: number;
  readonly isExtended: boolean;
  /** How much of the disk one L2 table describes. */
  readonly l2CoverageBytes: number;
  readonly l1Offset: number;
  readonly l1Entries: number;
  readonly refcountTableOffset: number;
  readonly refcountTableBytes: number;
  readonly refcountBits: number;
  readonly codec: Codec;
  readonly bitmaps?: Qcow2BitmapDirectory | undefined;
}

/** The guest's disk in whole sectors: qemu leaves out a rest. */
export function qcow2DiskBytes({ virtualSizeBytes }: Qcow2Header): bigint {
  return (virtualSizeBytes / sectorBytes) * sectorBytes;
}

/** Judges the header's sizes, which can be done without knowing how long the file is. */
export function checkQcow2Geometry(header: Qcow2Header): void {
  const { clusterBits, headerLength, refcountOrder, virtualSizeBytes, l1Entries, refcountTableClusters, snapshotsOffset } = header;
  const isExtended = hasExtendedL2(header);
  const seenCluster = { offset: at.clusterBits, value: clusterBits };
  if (clusterBits < smallestClusterBits || clusterBits > largestClusterBits) {
    refuse('qcow2.cluster_bits', `The cluster size 2^${clusterBits} is not between 2^9 and 2^21.`, seenCluster);
  }
  if (isExtended && clusterBits < smallestExtendedClusterBits) {
    refuse('qcow2.cluster_bits', `Extended L2 entries need clusters of 2^14 bytes, not 2^${clusterBits}.`, seenCluster);
  }
  if (headerLength < shortestQcow2Header(header.version) || headerLength % 8 !== 0 || headerLength > 2 ** clusterBits) {
    refuse('qcow2.header', `The header's length ${headerLength} is impossible.`, { offset: at.headerLength, value: headerLength });
  }
  if (refcountOrder > 6) {
    refuse('qcow2.refcount_order', `The reference count order ${refcountOrder} is above 6.`, { offset: at.refcountOrder, value: refcountOrder });
  }
  const clusterBytes = 1n << BigInt(clusterBits);
  // Of a table of no snapshots qemu judges the place all the same (block/qcow2.c).
  if (snapshotsOffset % clusterBytes !== 0n || snapshotsOffset >= 2n ** 63n) {
    refuse('qcow2.header', `The table of snapshots at ${snapshotsOffset} is not aligned.`, { offset: at.snapshotsOffset, value: snapshotsOffset });
  }
  const entriesNeeded = ceilDivide(virtualSizeBytes, clusterBytes * (clusterBytes / (isExtended ? 16n : 8n)));
  const seenL1 = { offset: at.l1Entries, value: l1Entries };
  if (BigInt(l1Entries) * 8n > l1TableLimitBytes) refuse('qcow2.l1_table', `The L1 table of ${l1Entries} entries is larger than 32 MiB.`, seenL1);
  if (BigInt(l1Entries) < entriesNeeded) {
    refuse('qcow2.l1_table', `The L1 table has ${l1Entries} entries where the disk needs ${entriesNeeded}.`, seenL1);
  }
  if (BigInt(refcountTableClusters) * clusterBytes > refcountTableLimitBytes) {
    refuse('qcow2.refcount_table', 'The reference count table is larger than 8 MiB.', {
      offset: at.refcountTableClusters,
      value: refcountTableClusters,
    });
  }
}

/**
 * Judges whether the tables that the header names lie inside the file, and answers the layout. The last cluster of a file
 * may be cut short, as qemu-img writes it.
 */
export function qcow2Layout(header: Qcow2Header, extensions: Qcow2Extensions, { sizeBytes }: ByteReader): Qcow2Layout {
  const { clusterBits, l1Entries, l1Offset, refcountTableOffset, refcountTableClusters } = header;
  const clusterBytes = 2 ** clusterBits;
  const isAligned = (offset: bigint): boolean => offset !== 0n && offset % BigInt(clusterBytes) === 0n;
  if (l1Entries > 0 && !(isAligned(l1Offset) && isInside(l1Offset, BigInt(l1Entries) * 8n, sizeBytes))) {
    refuse('qcow2.l1_table', `The L1 table at ${l1Offset} is not aligned or not inside the file.`, { offset: at.l1Offset, value: l1Offset });
  }
  const wholeClusters = Math.ceil(sizeBytes / clusterBytes);
  const refcountTableBytes = refcountTableClusters * clusterBytes;
  if (refcountTableClusters === 0) {
    refuse('qcow2.refcount_table', 'There is no reference count table.', { offset: at.refcountTableClusters, value: 0 });
  }
  if (!isAligned(refcountTableOffset) || !isInside(refcountTableOffset, BigInt(refcountTableBytes), wholeClusters * clusterBytes)) {
    refuse('qcow2.refcount_table', `The reference count table at ${refcountTableOffset} is not aligned or not inside the file.`, {
      offset: at.refcountTableOffset,
      value: refcountTableOffset,
    });
  }
  if (extensions.directory) checkBitmaps(extensions.directory, clusterBytes, sizeBytes);
  const isExtended = hasExtendedL2(header);
  return {
    version: header.version,
    fileBytes: sizeBytes,
    diskBytes: Number(qcow2DiskBytes(header)),
    clusterBits,
    clusterBytes,
    isExtended,
    l2CoverageBytes: (clusterBytes / (isExtended ? 16 : 8)) * clusterBytes,
    l1Offset: Number(l1Offset),
    l1Entries,
    refcountTableOffset: Number(refcountTableOffset),
    refcountTableBytes,
    refcountBits: 2 ** header.refcountOrder,
    codec: header.compressionType === 0 ? 'deflate' : 'zstd',
    bitmaps: extensions.directory,
  };
}

function checkBitmaps(directory: Qcow2BitmapDirectory, clusterBytes: number, sizeBytes: number): void {
  const { offset: value, lengthBytes, offsetAt: offset } = directory;
  if (value !== 0n && value % BigInt(clusterBytes) === 0n && isInside(value, lengthBytes, sizeBytes)) return;
  refuse('qcow2.bitmaps_extension', `The directory of the bitmaps at ${value} is not aligned or not inside the file.`, { offset, value });
}
