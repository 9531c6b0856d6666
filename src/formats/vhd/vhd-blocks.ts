import type { ByteReader } from '../reading/byte-reader.ts';
import { ceilDivide } from '../reading/bounds.ts';
import type { Extent } from '../guest/extent.ts';
import { Fields } from '../reading/fields.ts';
import type { FileSpace } from '../guest/file-space.ts';
import type { GuestDisk } from '../guest/guest-disk.ts';
import { joinedExtent, joinLimitBytes } from '../guest/joined-extent.ts';
import { refuse } from '../refuse.ts';
import { checkVhdSectorBitmap } from './vhd-bitmap.ts';
import { vhdDynamicHeaderBytes } from './vhd-dynamic.ts';
import type { VhdDynamicHeader } from './vhd-dynamic.ts';
import { vhdFooterBytes } from './vhd-footer.ts';

/** The table is read in pieces of so many bytes. */
const pieceBytes = 64 * 1024;
const notAllocated = 0xffff_ffff;

/** Where the parts of one block are in the file. */
interface VhdBlock {
  readonly bitmapOffset: number;
  readonly dataOffset: number;
  readonly endOffset: number;
}

/**
 * The disk of a dynamic VHD. Each entry of the block allocation table is the sector at which a bitmap of the block's
 * sectors begins, with the block behind it, or all ones ("Virtual Hard Disk Image Format Specification" 1.0, Block
 * Allocation Table and Data Blocks). The bitmap is not looked at when the disk is read, as in qemu (block/vpc.c); that
 * nobody reads otherwise is proved with `space`.
 */
export function vhdBlockDisk(file: ByteReader, sizeBytes: bigint, header: VhdDynamicHeader): GuestDisk {
  return {
    sizeBytes,
    unitBytes: 512,
    *walk(space) {
      if (space) claimStructures(file, header, space);
      const blocks = Number(ceilDivide(sizeBytes, BigInt(header.blockBytes)));
      for (let first = 0; first < header.tableEntries; first += pieceBytes / 4) {
        const count = Math.min(pieceBytes / 4, header.tableEntries - first);
        const offset = header.tableOffset + first * 4;
        const entries = new Fields(file.read(offset, count * 4), 'VHD block allocation table', offset);
        let pending: Extent | undefined;
        for (let index = 0; index < count; index += 1) {
          const entry = entries.u32be(index * 4);
          const isSpare = first + index >= blocks;
          const block = entry === notAllocated ? undefined : blockAt(file, header, entry, offset + index * 4);
          if (block && space) claimBlock(space, block, entry, offset + index * 4);
          if (isSpare) continue;
          const lengthBytes = Math.min(header.blockBytes, Number(sizeBytes) - (first + index) * header.blockBytes);
          if (block) {
            if (pending) yield pending;
            pending = undefined;
            yield* storedBlock(file, block, lengthBytes, space);
            continue;
          }
          const extent: Extent = { kind: 'zero', lengthBytes };
          const joined = joinedExtent(pending, extent);
          if (pending && !joined) yield pending;
          pending = joined ?? extent;
        }
        if (pending) yield pending;
      }
    },
  };
}

function claimStructures(file: ByteReader, { offset, tableOffset, tableEntries }: VhdDynamicHeader, space: FileSpace): void {
  const structures = [
    ['footer copy', 0, vhdFooterBytes],
    ['footer', file.sizeBytes - vhdFooterBytes, vhdFooterBytes],
    ['dynamic header', offset, vhdDynamicHeaderBytes],
    ['block allocation table', tableOffset, tableEntries * 4],
  ] as const;
  for (const [name, start, lengthBytes] of structures) {
    if (!space.claim(start, lengthBytes)) refuse('vhd.overlap', `The ${name} lies over another structure.`, { offset: start, value: name });
  }
}

/** The block that an entry leads to, which must end before the footer. */
function blockAt(file: ByteReader, { blockBytes }: VhdDynamicHeader, entry: number, place: number): VhdBlock {
  const bitmapOffset = entry * 512;
  const dataOffset = bitmapOffset + Math.ceil(blockBytes / 4096 / 512) * 512;
  const endOffset = dataOffset + blockBytes;
  if (endOffset > file.sizeBytes - vhdFooterBytes) {
    refuse('vhd.block', `The block at ${bitmapOffset} is not inside the file.`, { offset: place, value: entry });
  }
  return { bitmapOffset, dataOffset, endOffset };
}

function claimBlock(space: FileSpace, { bitmapOffset, endOffset }: VhdBlock, entry: number, place: number): void {
  if (space.claim(bitmapOffset, endOffset - bitmapOffset)) return;
  refuse('vhd.overlap', `The block at ${bitmapOffset} lies over a header, the table or another block.`, { offset: place, value: entry });
}

function* storedBlock(
  file: ByteReader,
  block: VhdBlock,
  lengthBytes: number,
  space: FileSpace | undefined,
): Generator<Extent, void, undefined> {
  // Once in all passes: in the one that remembers where the block begins.
  const isProved = space?.holds(block.bitmapOffset) === true;
  for (let at = 0; at < lengthBytes; at += joinLimitBytes) {
    const part = { fromByte: at, lengthBytes: Math.min(joinLimitBytes, lengthBytes - at) };
    if (isProved) checkVhdSectorBitmap(file, block, part);
    yield { kind: 'stored', lengthBytes: part.lengthBytes, offset: block.dataOffset + at };
  }
}
