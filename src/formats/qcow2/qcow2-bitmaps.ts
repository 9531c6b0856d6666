import type { ByteReader } from '../reading/byte-reader.ts';
import { Fields } from '../reading/fields.ts';
import type { Qcow2BitmapDirectory } from './qcow2-extensions.ts';
import type { Qcow2Layout } from './qcow2-layout.ts';
import { qcow2EntryOffset, qcow2TablePieces } from './qcow2-table.ts';
import type { Qcow2Use } from './qcow2-use.ts';
import { refuse } from '../refuse.ts';

/** qemu's bound (block/qcow2-bitmap.c) for the data of one bitmap, which it reads into memory whole. */
const bitmapLimitBytes = 512 * 1024 * 1024;
/** Ours for the tables of all bitmaps, so that reading them takes a moment only; one of a 64 TiB disk needs 16 KiB. */
const tablesLimitBytes = 32 * 1024 * 1024;
const entryBytes = 24;
const dirtyTracking = 1;
const knownFlags = 3;
const reservedHigh = 0xff00_0000;
const reservedLow = 0x1fe;
const allOnes = 1;

/** Judges the directory of the dirty bitmaps and their tables, and takes all that they use (qcow2.txt, "Bitmaps"). */
export function claimQcow2Bitmaps(file: ByteReader, layout: Qcow2Layout, directory: Qcow2BitmapDirectory, use: Qcow2Use): void {
  const start = Number(directory.offset);
  const end = start + Number(directory.lengthBytes);
  use.alone(start, end - start, directory.offsetAt);
  let tablesBytes = 0;
  let at = start;
  for (let count = 0; count < directory.count; count += 1) {
    if (at + entryBytes > end) refuseDirectory('has fewer bitmaps than the header says', at, count);
    const { table, entries, nextAt } = readEntry(file, layout, at);
    if (nextAt > end) refuseDirectory('ends inside an entry', at, nextAt - at);
    at = nextAt;
    tablesBytes += entries * 8;
    if (tablesBytes > tablesLimitBytes) refuseDirectory('names tables of more than 32 MiB', at, tablesBytes);
    claimTable(file, layout, table, entries, use);
  }
  if (at !== end) refuseDirectory('has more bitmaps than the header says', at, end - at);
}

interface BitmapEntry {
  readonly table: { readonly offset: number; readonly referenceAt: number };
  readonly entries: number;
  readonly nextAt: number;
}

function readEntry(file: ByteReader, { clusterBytes, fileBytes }: Qcow2Layout, at: number): BitmapEntry {
  const fields = new Fields(file.read(at, entryBytes), 'qcow2 bitmap directory', at);
  const offset = fields.u64be(0);
  const entries = fields.u32be(8);
  const flags = fields.u32be(12);
  const type = fields.u8(16);
  const nameBytes = fields.u16be(18);
  const extraBytes = fields.u32be(20);
  if (flags > knownFlags || type !== dirtyTracking || extraBytes !== 0) {
    refuseDirectory('has a bitmap of a kind that is not known', at + 12, `0x${fields.u64be(12).toString(16)}`);
  }
  if (entries === 0 || entries * clusterBytes > bitmapLimitBytes) refuseDirectory('has a bitmap of an impossible size', at + 8, entries);
  if (offset === 0n || offset % BigInt(clusterBytes) !== 0n || offset + BigInt(entries * 8) > BigInt(fileBytes)) {
    refuseDirectory('has a bitmap whose table is not aligned or not inside the file', at, offset);
  }
  return { table: { offset: Number(offset), referenceAt: at }, entries, nextAt: at + Math.ceil((entryBytes + nameBytes) / 8) * 8 };
}

function claimTable(file: ByteReader, layout: Qcow2Layout, table: BitmapEntry['table'], entries: number, use: Qcow2Use): void {
  const { clusterBytes, fileBytes } = layout;
  use.alone(table.offset, entries * 8, table.referenceAt);
  for (const { offset: pieceOffset, view } of qcow2TablePieces(file, table.offset, entries * 8)) {
    for (let at = 0; at < view.byteLength; at += 8) {
      const high = view.getUint32(at);
      const low = view.getUint32(at + 4);
      const data = qcow2EntryOffset(high, low);
      const isReserved = high & reservedHigh || low & reservedLow || (data !== 0 && low & allOnes);
      if (isReserved || data % clusterBytes !== 0 || data >= fileBytes) {
        refuse('qcow2.bitmaps_extension', `The table of a bitmap has an entry at ${pieceOffset + at} that is impossible.`, {
          offset: pieceOffset + at,
          value: `0x${view.getBigUint64(at).toString(16)}`,
        });
      }
      if (data !== 0) use.alone(data, clusterBytes, pieceOffset + at);
    }
  }
}

function refuseDirectory(what: string, offset: number, value: string | number | bigint): never {
  return refuse('qcow2.bitmaps_extension', `The directory of the bitmaps ${what}.`, { offset, value });
}
