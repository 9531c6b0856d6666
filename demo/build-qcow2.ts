/** The usual cluster of qcow2: 2^16 bytes. */
const clusterBits = 16;
const clusterBytes = 1 << clusterBits;

/** The clusters before the data: header, refcount table, refcount block, L1 table, L2 table. */
const [refcountTable, refcountBlock, l1Table, l2Table, firstData] = [1, 2, 3, 4, 5] as const;

/** Length of a version 3 header with the compression type and its padding. */
const headerBytes = 112;

/** Set in an L1 or L2 entry whose target is referenced exactly once. */
const copied = 1n << 63n;

/**
 * A qcow2 of version 3 that holds `data` at the beginning of a disk of `diskBytes` and nothing behind it. One L2 table and
 * one refcount block are enough for it: `diskBytes` is at most 512 MiB, and `data` is no larger. Layout: qemu's
 * docs/interop/qcow2.txt.
 */
export function buildQcow2(data: Uint8Array, diskBytes: number): Buffer {
  const dataClusters = Math.ceil(data.length / clusterBytes);
  const image = Buffer.alloc((firstData + dataClusters) * clusterBytes);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(clusterBits, 20);
  image.writeBigUInt64BE(BigInt(diskBytes), 24);
  image.writeUInt32BE(1, 36); // entries of the L1 table
  image.writeBigUInt64BE(offsetOf(l1Table), 40);
  image.writeBigUInt64BE(offsetOf(refcountTable), 48);
  image.writeUInt32BE(1, 56); // clusters of the refcount table
  image.writeUInt32BE(4, 96); // refcounts of 2^4 bits
  image.writeUInt32BE(headerBytes, 100);
  image.writeBigUInt64BE(offsetOf(refcountBlock), refcountTable * clusterBytes);
  for (let cluster = 0; cluster < firstData + dataClusters; cluster += 1) {
    image.writeUInt16BE(1, refcountBlock * clusterBytes + 2 * cluster);
  }
  image.writeBigUInt64BE(copied | offsetOf(l2Table), l1Table * clusterBytes);
  for (let cluster = 0; cluster < dataClusters; cluster += 1) {
    image.writeBigUInt64BE(copied | offsetOf(firstData + cluster), l2Table * clusterBytes + 8 * cluster);
  }
  image.set(data, firstData * clusterBytes);
  return image;
}

const offsetOf = (cluster: number): bigint => BigInt(cluster) * BigInt(clusterBytes);
