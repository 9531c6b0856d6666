import type { ByteReader } from '../reading/byte-reader.ts';
import type { Extent } from '../guest/extent.ts';
import type { FileSpace } from '../guest/file-space.ts';
import type { GuestDisk } from '../guest/guest-disk.ts';
import { claimQcow2Bitmaps } from './qcow2-bitmaps.ts';
import { Qcow2Extents } from './qcow2-extents.ts';
import { qcow2Fields } from './qcow2-header.ts';
import { Qcow2L2Reader } from './qcow2-l2.ts';
import type { Qcow2Layout } from './qcow2-layout.ts';
import { claimFreeQcow2Clusters, qcow2RefcountBlocks } from './qcow2-refcounts.ts';
import { qcow2EntryOffset, qcow2TablePieces } from './qcow2-table.ts';
import type { Qcow2TablePiece } from './qcow2-table.ts';
import { Qcow2Use } from './qcow2-use.ts';
import { refuse } from '../refuse.ts';

const l1EntryBytes = 8;
const reservedHigh = 0x7f00_0000;
const reservedLow = 0x1ff;

/**
 * The guest's disk of a qcow2, read as qemu 7.2 reads it (block/qcow2-cluster.c). L1 entries beyond the disk's end are judged
 * and their tables claimed, but not looked into: the guest never gets there. What the reference counts say is judged with a
 * space only, since nothing is read by them.
 */
export function openQcow2Disk(file: ByteReader, layout: Qcow2Layout): GuestDisk {
  return { sizeBytes: BigInt(layout.diskBytes), unitBytes: layout.clusterBytes, walk: (space) => walk(file, layout, space) };
}

function* walk(file: ByteReader, layout: Qcow2Layout, space: FileSpace | undefined): Generator<Extent, void, undefined> {
  const use = space && claimTables(file, layout, space);
  const extents = new Qcow2Extents(layout);
  const reader = new Qcow2L2Reader(layout, extents, use);
  for (const piece of qcow2TablePieces(file, layout.l1Offset, layout.l1Entries * l1EntryBytes)) {
    for (let at = 0; at < piece.view.byteLength; at += l1EntryBytes) {
      const table = l2TableOf(layout, piece, at);
      if (table === 0) {
        extents.zero(layout.l2CoverageBytes);
        continue;
      }
      use?.alone(table, layout.clusterBytes, piece.offset + at);
      if (extents.isComplete) continue;
      for (const l2Piece of qcow2TablePieces(file, table, layout.clusterBytes)) {
        reader.read(l2Piece);
        yield* extents.take();
      }
    }
    yield* extents.take();
  }
}

/** Where the L2 table of an L1 entry begins; 0: there is none. It lies wholly inside the file, for no writer cuts it short. */
function l2TableOf({ clusterBytes, fileBytes }: Qcow2Layout, { offset: tableOffset, view }: Qcow2TablePiece, at: number): number {
  const high = view.getUint32(at);
  const low = view.getUint32(at + 4);
  if (high === 0 && low === 0) return 0;
  const offset = tableOffset + at;
  if (high & reservedHigh || low & reservedLow) {
    const value = `0x${view.getBigUint64(at).toString(16)}`;
    refuse('qcow2.l2_table', `The L1 entry at ${offset} uses bits that are reserved (${value}).`, { offset, value });
  }
  const table = qcow2EntryOffset(high, low);
  if (table !== 0 && (table % clusterBytes !== 0 || table + clusterBytes > fileBytes)) {
    const value = BigInt(table);
    refuse('qcow2.l2_table', `The L2 table at ${value} is not aligned or not inside the file.`, { offset, value });
  }
  return table;
}

/** Claims what the header names, after the clusters that are free. */
function claimTables(file: ByteReader, layout: Qcow2Layout, space: FileSpace): Qcow2Use {
  const use = new Qcow2Use(file, layout, space);
  claimFreeQcow2Clusters(file, layout, space);
  use.alone(0, layout.clusterBytes, 0);
  use.alone(layout.l1Offset, layout.l1Entries * l1EntryBytes, qcow2Fields.l1Offset);
  use.alone(layout.refcountTableOffset, layout.refcountTableBytes, qcow2Fields.refcountTableOffset);
  for (const { offset, entryAt } of qcow2RefcountBlocks(file, layout)) use.alone(offset, layout.clusterBytes, entryAt);
  if (layout.bitmaps) claimQcow2Bitmaps(file, layout, layout.bitmaps, use);
  return use;
}
