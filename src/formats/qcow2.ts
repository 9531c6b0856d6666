import { ceilDivide, isInside } from './bounds.ts';
import type { ByteReader } from './byte-reader.ts';
import type { Description, FormatInspector } from './format-inspector.ts';
import { walkQcow2Extensions } from './qcow2-extensions.ts';
import type { Qcow2Extensions } from './qcow2-extensions.ts';
import { checkQcow2Features, qcow2Bits, qcow2Compressions } from './qcow2-features.ts';
import { readQcow2Header, shortestQcow2Header } from './qcow2-header.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import { refuse } from './refuse.ts';
import { beginsWith } from './signature.ts';

/** qemu's bounds (block/qcow2.h), set after CVE-2014-0143 and its family: tables are read into memory whole. */
const l1TableLimitBytes = 32n * 1024n * 1024n;
const refcountTableLimitBytes = 8n * 1024n * 1024n;
const smallestCluster = 2 ** 9;
const largestClusterBits = 21;
const sectorBytes = 512n;

/** QEMU copy-on-write, versions 2 and 3 (QEMU docs/interop/qcow2.txt). */
export const qcow2: FormatInspector = {
  format: 'DISK_FORMAT_QCOW2',
  name: 'qcow2',
  recognise: ({ head }) => beginsWith(head, 'QFI\xfb'),
  checkHead(head, sizeBytes) {
    checkHeader(head, sizeBytes);
  },
  describe(file) {
    const { clusterBits } = readQcow2Header(file.read(0, smallestCluster));
    const start = file.read(0, Math.max(smallestCluster, 2 ** Math.min(clusterBits, largestClusterBits)));
    const { header, extensions } = checkHeader(start, file.sizeBytes);
    checkPlaces(header, file);
    return describeHeader(header, extensions);
  },
};

function checkHeader(head: Uint8Array, sizeBytes: number | undefined): { header: Qcow2Header; extensions: Qcow2Extensions } {
  const header = readQcow2Header(head);
  checkQcow2Features(header, head);
  checkGeometry(header);
  const clusterBytes = 2 ** header.clusterBits;
  const areaEnd = Math.min(clusterBytes, sizeBytes ?? clusterBytes);
  const area = head.subarray(header.headerLength, areaEnd);
  return { header, extensions: walkQcow2Extensions(area, header.headerLength, head.length >= areaEnd) };
}

/** What can be judged without knowing how long the file is. */
function checkGeometry(header: Qcow2Header): void {
  const { clusterBits, headerLength, refcountOrder, virtualSizeBytes, l1Entries } = header;
  const value = clusterBits.toString();
  const hasExtendedL2 = (header.incompatibleFeatures & qcow2Bits.extendedL2) !== 0n;
  if (clusterBits < 9 || clusterBits > largestClusterBits) refuse('qcow2.cluster_bits', `The cluster size 2^${value} is not between 2^9 and 2^21.`, { value });
  if (hasExtendedL2 && clusterBits < 14) refuse('qcow2.cluster_bits', `Extended L2 entries need clusters of 2^14 bytes, not 2^${value}.`, { value });
  if (headerLength < shortestQcow2Header(header.version) || headerLength % 8 !== 0 || headerLength > 2 ** clusterBits) {
    refuse('qcow2.header', `The header's length ${headerLength} is impossible.`, { value: headerLength.toString() });
  }
  if (refcountOrder > 6) refuse('qcow2.refcount_order', `The reference count order ${refcountOrder} is above 6.`, { value: refcountOrder.toString() });

  const clusterBytes = 1n << BigInt(clusterBits);
  const l2EntryBytes = hasExtendedL2 ? 16n : 8n;
  const entriesNeeded = ceilDivide(virtualSizeBytes, clusterBytes * (clusterBytes / l2EntryBytes));
  if (BigInt(l1Entries) * 8n > l1TableLimitBytes) refuse('qcow2.l1_table', `The L1 table of ${l1Entries} entries is larger than 32 MiB.`);
  if (BigInt(l1Entries) < entriesNeeded) {
    refuse('qcow2.l1_table', `The L1 table has ${l1Entries} entries where the disk needs ${entriesNeeded}.`);
  }
  if (BigInt(header.refcountTableClusters) * clusterBytes > refcountTableLimitBytes) {
    refuse('qcow2.refcount_table', 'The reference count table is larger than 8 MiB.');
  }
}

/** Whether the two top tables lie inside the file. The last cluster of a file may be cut short, as qemu-img writes it. */
function checkPlaces(header: Qcow2Header, { sizeBytes }: ByteReader): void {
  const clusterBytes = 1n << BigInt(header.clusterBits);
  const l1Bytes = BigInt(header.l1Entries) * 8n;
  const isL1Placed = header.l1Offset % clusterBytes === 0n && isInside(header.l1Offset, l1Bytes, sizeBytes);
  if (header.l1Entries > 0 && (header.l1Offset === 0n || !isL1Placed)) {
    refuse('qcow2.l1_table', `The L1 table at ${header.l1Offset} is not aligned or not inside the file.`, {
      offset: header.l1Offset.toString(),
    });
  }
  const offset = header.refcountTableOffset;
  const roundedSize = ceilDivide(BigInt(sizeBytes), clusterBytes) * clusterBytes;
  const end = offset + BigInt(header.refcountTableClusters) * clusterBytes;
  if (offset === 0n || offset % clusterBytes !== 0n || header.refcountTableClusters === 0 || end > roundedSize) {
    refuse('qcow2.refcount_table', `The reference count table at ${offset} is not aligned or not inside the file.`, {
      offset: offset.toString(),
    });
  }
}

function describeHeader(header: Qcow2Header, extensions: Qcow2Extensions): Description {
  const hasExtendedL2 = (header.incompatibleFeatures & qcow2Bits.extendedL2) !== 0n;
  return {
    // qemu counts whole sectors and leaves out a rest.
    virtualSizeBytes: (header.virtualSizeBytes / sectorBytes) * sectorBytes,
    warnings: extensions.hasBitmaps ? ['qcow2.bitmaps'] : [],
    facts: {
      qcow2_version: header.version.toString(),
      cluster_bytes: (2 ** header.clusterBits).toString(),
      compression_type: qcow2Compressions[header.compressionType] ?? '',
      ...(hasExtendedL2 ? { extended_l2: 'true' } : {}),
    },
  };
}
