import type { ByteReader } from '../reading/byte-reader.ts';
import type { FileSpace } from '../guest/file-space.ts';
import type { Qcow2Layout } from './qcow2-layout.ts';
import { qcow2EntryOffset, qcow2TablePieces } from './qcow2-table.ts';
import { refuse } from '../refuse.ts';

const entryBytes = 8;
const reservedLow = 0x1ff;

/** A reference count block at `offset` of the file, named by the entry at `entryAt`; `index` counts blocks, absent ones too. */
export interface Qcow2RefcountBlock {
  readonly index: number;
  readonly entryAt: number;
  readonly offset: number;
}

/** The reference count blocks, each judged: aligned, and inside the file at least with its beginning. */
export function* qcow2RefcountBlocks(file: ByteReader, layout: Qcow2Layout): Generator<Qcow2RefcountBlock, void, undefined> {
  const { refcountTableOffset, refcountTableBytes, clusterBytes, fileBytes } = layout;
  for (const { offset: tableOffset, view } of qcow2TablePieces(file, refcountTableOffset, refcountTableBytes)) {
    for (let at = 0; at + entryBytes <= view.byteLength; at += entryBytes) {
      const high = view.getUint32(at);
      const low = view.getUint32(at + 4);
      if (high === 0 && low === 0) continue;
      const entryAt = tableOffset + at;
      const offset = qcow2EntryOffset(high, low);
      if (high >>> 24 !== 0 || low & reservedLow || offset % clusterBytes !== 0 || offset >= fileBytes) {
        const value = view.getBigUint64(at);
        refuse('qcow2.refcount_block', `The reference count block at ${value} is not aligned or not inside the file.`, { offset: entryAt, value });
      }
      yield { index: (entryAt - refcountTableOffset) / entryBytes, entryAt, offset };
    }
  }
}

/** Judges the blocks, and takes the clusters that nothing counts as used, in the part of the file that the space remembers. */
export function claimFreeQcow2Clusters(file: ByteReader, layout: Qcow2Layout, space: FileSpace): void {
  const { clusterBytes, fileBytes, refcountBits } = layout;
  const perBlock = clustersPerBlock(layout);
  const start = Math.floor(space.startBytes / clusterBytes);
  const end = Math.ceil(Math.min(space.endBytes, fileBytes) / clusterBytes);
  let freeFrom = start;
  const claimTo = (cluster: number): void => {
    if (cluster > freeFrom) space.claim(freeFrom * clusterBytes, (cluster - freeFrom) * clusterBytes);
    freeFrom = cluster + 1;
  };
  for (const { index, offset } of qcow2RefcountBlocks(file, layout)) {
    let cluster = Math.max(index * perBlock, start);
    const blockEnd = Math.min((index + 1) * perBlock, end);
    if (cluster >= blockEnd) continue;
    const firstByte = ((cluster % perBlock) * refcountBits) / 8;
    const lengthBytes = Math.ceil(((blockEnd - cluster) * refcountBits) / 8);
    for (const { view } of qcow2TablePieces(file, offset + firstByte, lengthBytes)) {
      const counts = Math.min(Math.floor((view.byteLength * 8) / refcountBits), blockEnd - cluster);
      for (let at = 0; at < counts; at += 1) if (isCounted(view, at, refcountBits)) claimTo(cluster + at);
      cluster += counts;
    }
  }
  claimTo(end);
}

/** Whether the reference count of a cluster is 0, or there is none. */
export function isQcow2ClusterFree(file: ByteReader, layout: Qcow2Layout, cluster: number): boolean {
  const block = blockOf(file, layout, cluster);
  if (block === undefined) return true;
  const { refcountBits } = layout;
  const bit = (cluster % clustersPerBlock(layout)) * refcountBits;
  const at = Math.floor(bit / 8);
  for (const { view } of qcow2TablePieces(file, block + at, Math.ceil(refcountBits / 8))) {
    if (view.byteLength * 8 >= refcountBits && isCounted(view, (bit % 8) / refcountBits, refcountBits)) return false;
  }
  return true;
}

function clustersPerBlock({ clusterBytes, refcountBits }: Qcow2Layout): number {
  return (clusterBytes * 8) / refcountBits;
}

/** Where the block with a cluster's reference count begins. */
function blockOf(file: ByteReader, layout: Qcow2Layout, cluster: number): number | undefined {
  const at = Math.floor(cluster / clustersPerBlock(layout)) * entryBytes;
  if (at >= layout.refcountTableBytes) return undefined;
  for (const { view } of qcow2TablePieces(file, layout.refcountTableOffset + at, entryBytes)) {
    if (view.byteLength < entryBytes) break;
    const offset = qcow2EntryOffset(view.getUint32(0), view.getUint32(4));
    return offset === 0 ? undefined : offset;
  }
  return undefined;
}

/** Counts narrower than a byte begin with its lowest bits. */
function isCounted(view: DataView, index: number, refcountBits: number): boolean {
  switch (refcountBits) {
    case 64:
      return (view.getUint32(index * 8) | view.getUint32(index * 8 + 4)) !== 0;
    case 32:
      return view.getUint32(index * 4) !== 0;
    case 16:
      return view.getUint16(index * 2) !== 0;
    default: {
      const bit = index * refcountBits;
      return ((view.getUint8(bit >>> 3) >>> (bit & 7)) & (2 ** refcountBits - 1)) !== 0;
    }
  }
}
