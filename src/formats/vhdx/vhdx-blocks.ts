import type { ByteReader } from '../reading/byte-reader.ts';
import type { Extent } from '../guest/extent.ts';
import { Fields } from '../reading/fields.ts';
import type { FileSpace } from '../guest/file-space.ts';
import type { GuestDisk } from '../guest/guest-disk.ts';
import { joinedExtent } from '../guest/joined-extent.ts';
import { refuse } from '../refuse.ts';

const mebibyte = 1024 * 1024;
/** The table is read in pieces of so many bytes. */
const pieceBytes = 64 * 1024;

/** States of a payload block ([MS-VHDX] 2.5.1.1). 5 is "unmapped" of the specification's version 0.95; qemu still takes it. */
const zeroStates: readonly number[] = [0, 1, 2, 3, 5];
const fullyPresent = 6;

/** Where everything is in a VHDX whose headers, regions and metadata were accepted. */
export interface VhdxLayout {
  readonly sizeBytes: bigint;
  readonly blockBytes: number;
  /** After so many entries for blocks comes one for the bitmap of their sectors. */
  readonly blocksPerBitmap: number;
  readonly tableOffset: number;
  readonly entries: number;
  readonly regions: readonly { readonly offset: number; readonly lengthBytes: number; readonly statedAt: number }[];
}

/**
 * The disk of a VHDX without a parent, read as qemu does (block/vhdx.c): what is not fully present reads as zeros. Each
 * entry of the block allocation table has a state in its lowest 3 bits and an offset in whole MiB in its highest 44.
 */
export function vhdxBlockDisk(file: ByteReader, layout: VhdxLayout): GuestDisk {
  const { sizeBytes, blockBytes, blocksPerBitmap, tableOffset, entries } = layout;
  return {
    sizeBytes,
    unitBytes: mebibyte,
    *walk(space) {
      if (space) claimStructures(layout, space);
      let rest = Number(sizeBytes);
      for (let first = 0; first < entries; first += pieceBytes / 8) {
        const count = Math.min(pieceBytes / 8, entries - first);
        const offset = tableOffset + first * 8;
        const table = new Fields(file.read(offset, count * 8), 'VHDX block allocation table', offset);
        let pending: Extent | undefined;
        for (let index = 0; index < count; index += 1) {
          const entry = entryAt(table, index * 8, offset);
          if ((first + index + 1) % (blocksPerBitmap + 1) === 0) {
            checkBitmapEntry(entry);
            continue;
          }
          const extent = extentOf(file, entry, Math.min(blockBytes, rest));
          if (space && extent.kind === 'stored') claimBlock(space, extent.offset, blockBytes, entry);
          rest -= extent.lengthBytes;
          const joined = joinedExtent(pending, extent);
          if (pending && !joined) yield pending;
          pending = joined ?? extent;
        }
        if (pending) yield pending;
      }
    },
  };
}

/** An entry in its two halves: all of them as bigint would cost more than anything else here. */
interface Entry {
  readonly low: number;
  readonly high: number;
  readonly place: number;
}

function entryAt(table: Fields, at: number, tableOffset: number): Entry {
  const entry = { low: table.u32le(at), high: table.u32le(at + 4), place: tableOffset + at };
  if ((entry.low & 0xf_fff8) !== 0) refuse('vhdx.block_state', 'An entry of the block allocation table has bits set that are reserved.', details(entry));
  return entry;
}

function details({ low, high, place }: Entry): { readonly offset: number; readonly value: bigint } {
  return { offset: place, value: (BigInt(high) << 32n) | BigInt(low) };
}

/** Only the difference to a parent has bitmaps of sectors ([MS-VHDX] 2.5.1.2). */
function checkBitmapEntry(entry: Entry): void {
  if ((entry.low & 7) !== 0) refuse('vhdx.block_state', 'A disk without a parent has a bitmap of sectors.', details(entry));
}

function extentOf(file: ByteReader, entry: Entry, lengthBytes: number): Extent {
  const state = entry.low & 7;
  if (zeroStates.includes(state)) return { kind: 'zero', lengthBytes };
  if (state !== fullyPresent) refuse('vhdx.block_state', `A block is in state ${state}, which only the difference to a parent has, or none.`, details(entry));
  const offset = entry.high * 2 ** 32 + (entry.low - (entry.low % mebibyte));
  // The last block may be cut short at the disk's end, as older versions of qemu wrote it (block/vhdx.c).
  if (offset < mebibyte || offset + lengthBytes > file.sizeBytes) {
    refuse('vhdx.block', `The block at ${offset} is in the headers or not inside the file.`, details(entry));
  }
  return { kind: 'stored', lengthBytes, offset };
}

function claimStructures({ regions }: VhdxLayout, space: FileSpace): void {
  space.claim(0, mebibyte);
  for (const { offset, lengthBytes, statedAt } of regions) {
    if (!space.claim(offset, lengthBytes)) refuse('vhdx.overlap', `The region at ${offset} lies over another.`, { offset: statedAt, value: offset });
  }
}

function claimBlock(space: FileSpace, offset: number, blockBytes: number, entry: Entry): void {
  if (!space.claim(offset, blockBytes)) refuse('vhdx.overlap', `The block at ${offset} lies over a region, the log or another block.`, details(entry));
}
