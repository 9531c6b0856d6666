import { ceilDivide, isInside, isPowerOfTwo } from './bounds.ts';
import type { ByteReader } from './byte-reader.ts';
import { Fields } from './fields.ts';
import { refuse } from './refuse.ts';
import { hasAt } from './signature.ts';
import { checkVhdChecksum } from './vhd-footer.ts';

const dynamicHeaderBytes = 1024;
const largestBlockBytes = 256 * 1024 * 1024;

/** The fields that matter of a dynamic disk header. */
export interface VhdDynamicHeader {
  readonly tableOffset: bigint;
  readonly tableEntries: number;
  readonly blockBytes: number;
}

/** Reads the dynamic disk header at `offset` and judges it and the place of its block allocation table. */
export function readVhdDynamicHeader(file: ByteReader, offset: bigint, virtualSizeBytes: bigint): VhdDynamicHeader {
  if (offset % 512n !== 0n || offset < 512n || !isInside(offset, BigInt(dynamicHeaderBytes), file.sizeBytes)) {
    refuse('vhd.dynamic_header', `The dynamic header at ${offset} is not aligned or not inside the file.`, { offset: offset.toString() });
  }
  const start = Number(offset);
  const bytes = file.read(start, dynamicHeaderBytes);
  if (!hasAt(bytes, 0, 'cxsparse')) {
    refuse('vhd.dynamic_header', `There is no dynamic header at ${offset}.`, { offset: offset.toString() });
  }
  const fields = new Fields(bytes, 'VHD dynamic header', start);
  checkVhdChecksum(fields.slice(0, dynamicHeaderBytes), 36, 'dynamic header', start);
  const header = { tableOffset: fields.u64be(16), tableEntries: fields.u32be(28), blockBytes: fields.u32be(32) };
  checkBlocks(header, file, virtualSizeBytes);
  return header;
}

function checkBlocks({ tableOffset, tableEntries, blockBytes }: VhdDynamicHeader, file: ByteReader, virtualSizeBytes: bigint): void {
  if (!isPowerOfTwo(blockBytes) || blockBytes < 512 || blockBytes > largestBlockBytes) {
    refuse('vhd.block_size', `The block size of ${blockBytes} bytes is impossible.`, { value: blockBytes.toString() });
  }
  if (!isInside(tableOffset, BigInt(tableEntries) * 4n, file.sizeBytes) || tableOffset < 512n || tableOffset % 512n !== 0n) {
    refuse('vhd.block_table', `The block allocation table at ${tableOffset} is not inside the file.`, { offset: tableOffset.toString() });
  }
  const needed = ceilDivide(virtualSizeBytes, BigInt(blockBytes));
  if (BigInt(tableEntries) < needed) {
    refuse('vhd.block_table', `The block allocation table has ${tableEntries} entries where the disk needs ${needed}.`);
  }
}
