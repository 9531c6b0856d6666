import { ceilDivide, isInside, isPowerOfTwo } from '../reading/bounds.ts';
import type { ByteReader } from '../reading/byte-reader.ts';
import { Fields } from '../reading/fields.ts';
import { refuse } from '../refuse.ts';
import { hasAt } from '../reading/signature.ts';
import { checkVhdChecksum, vhdLargestDiskBytes } from './vhd-footer.ts';

/** The length of a dynamic disk header, in bytes. */
export const vhdDynamicHeaderBytes = 1024;

/** Below it qemu and the specification put a block's data in different places: qemu leaves the sector bitmap out. */
const smallestBlockBytes = 4096;
const largestBlockBytes = 256 * 1024 * 1024;

/** So many entries may a table have beyond the disk's end: one of the usual blocks of 2 MiB for the largest disk. */
const spareEntriesLimit = 2n ** 20n;

/** The fields that matter of a dynamic disk header, which begins at `offset`. */
export interface VhdDynamicHeader {
  readonly offset: number;
  readonly tableOffset: number;
  readonly tableEntries: number;
  readonly blockBytes: number;
}

/** Reads the dynamic disk header at `offset` and judges it and the place of its block allocation table. */
export function readVhdDynamicHeader(file: ByteReader, offset: bigint, virtualSizeBytes: bigint): VhdDynamicHeader {
  if (offset % 512n !== 0n || offset < 512n || !isInside(offset, BigInt(vhdDynamicHeaderBytes), file.sizeBytes)) {
    refuse('vhd.dynamic_header', `The dynamic header at ${offset} is not aligned or not inside the file.`, { offset: 16, value: offset });
  }
  const start = Number(offset);
  const bytes = file.read(start, vhdDynamicHeaderBytes);
  if (!hasAt(bytes, 0, 'cxsparse')) {
    refuse('vhd.dynamic_header', `There is no dynamic header at ${offset}.`, { offset: start, value: Buffer.from(bytes.subarray(0, 8)).toString('hex') });
  }
  const fields = new Fields(bytes, 'VHD dynamic header', start);
  checkVhdChecksum(fields.slice(0, vhdDynamicHeaderBytes), 36, 'dynamic header', start);
  const blockBytes = fields.u32be(32);
  if (!isPowerOfTwo(blockBytes) || blockBytes < smallestBlockBytes || blockBytes > largestBlockBytes) {
    refuse('vhd.block_size', `The block size of ${blockBytes} bytes is impossible.`, { offset: start + 32, value: blockBytes });
  }
  const table = { offset: fields.u64be(16), entries: fields.u32be(28) };
  checkTable(table, blockBytes, file.sizeBytes, virtualSizeBytes, start);
  return { offset: start, tableOffset: Number(table.offset), tableEntries: table.entries, blockBytes };
}

function checkTable(
  table: { readonly offset: bigint; readonly entries: number },
  blockBytes: number,
  sizeBytes: number,
  virtualSizeBytes: bigint,
  start: number,
): void {
  if (!isInside(table.offset, BigInt(table.entries) * 4n, sizeBytes) || table.offset < 512n || table.offset % 512n !== 0n) {
    refuse('vhd.block_table', `The block allocation table at ${table.offset} is not aligned or not inside the file.`, { offset: start + 16, value: table.offset });
  }
  const entries = BigInt(table.entries);
  const needed = ceilDivide(virtualSizeBytes, BigInt(blockBytes));
  const place = { offset: start + 28, value: table.entries };
  if (entries < needed) refuse('vhd.block_table', `The block allocation table has ${entries} entries where the disk needs ${needed}.`, place);
  if (entries * BigInt(blockBytes) > vhdLargestDiskBytes || entries - needed > spareEntriesLimit) {
    refuse('vhd.block_table', `The block allocation table has ${entries} entries, far more than the ${needed} that the disk needs.`, place);
  }
}
