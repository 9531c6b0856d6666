import { ceilDivide, isPowerOfTwo } from '../reading/bounds.ts';
import type { ByteReader } from '../reading/byte-reader.ts';
import type { FormatInspector } from '../format-inspector.ts';
import { refuse } from '../refuse.ts';
import { beginsWith } from '../reading/signature.ts';
import { vhdxBlockDisk } from './vhdx-blocks.ts';
import type { VhdxLayout } from './vhdx-blocks.ts';
import { readVhdxHeaders } from './vhdx-header.ts';
import { readVhdxMetadata } from './vhdx-metadata.ts';
import type { VhdxMetadata } from './vhdx-metadata.ts';
import { readVhdxRegions } from './vhdx-regions.ts';
import type { VhdxRegion } from './vhdx-regions.ts';

const mebibyte = 1024 * 1024;
const largestDiskBytes = 64n * 1024n ** 4n;
/** So many sectors does one sector bitmap block describe ([MS-VHDX] 2.5). */
const sectorsPerBitmap = 2n ** 23n;

/** Microsoft virtual hard disk, version 2 ([MS-VHDX]). */
export const vhdx: FormatInspector = {
  format: 'DISK_FORMAT_VHDX',
  name: 'vhdx',
  recognise: ({ head }) => beginsWith(head, 'vhdxfile'),
  checkHead(head, sizeBytes) {
    const read = (offset: number, length: number): Uint8Array => head.subarray(offset, offset + length);
    readVhdxRegions(read, readVhdxHeaders(read), sizeBytes);
  },
  describe(file) {
    const { sizeBytes, sizeOffset, blockBytes, sectorBytes } = readLayout(file);
    return {
      virtualSizeBytes: sizeBytes,
      virtualSizeOffset: sizeOffset,
      warnings: [],
      facts: { block_bytes: blockBytes.toString(), logical_sector_bytes: sectorBytes.toString() },
    };
  },
  open: (file) => vhdxBlockDisk(file, readLayout(file)),
};

function readLayout(file: ByteReader): VhdxLayout & { readonly sectorBytes: number; readonly sizeOffset: number } {
  const read = (offset: number, length: number): Uint8Array => file.read(offset, length);
  const { blockTable, metadata, all } = readVhdxRegions(read, readVhdxHeaders(read), file.sizeBytes);
  const disk = readVhdxMetadata(file, metadata);
  checkDisk(disk);
  const sizeBytes = disk.virtualSizeBytes.value;
  const blockBytes = disk.blockBytes.value;
  const sectorBytes = disk.sectorBytes.value;
  const blocksPerBitmap = Number((sectorsPerBitmap * BigInt(sectorBytes)) / BigInt(blockBytes));
  const entries = checkBlockTable(disk, blocksPerBitmap, blockTable);
  const regions = all.map(({ offset, lengthBytes, statedAt }) => ({ offset: Number(offset), lengthBytes, statedAt }));
  const sizeOffset = disk.virtualSizeBytes.offset;
  return { sizeBytes, sizeOffset, blockBytes, sectorBytes, blocksPerBitmap, tableOffset: Number(blockTable.offset), entries, regions };
}

function checkDisk({ parentOffset, blockBytes, sectorBytes, virtualSizeBytes }: VhdxMetadata): void {
  if (parentOffset !== undefined) {
    refuse('vhdx.parent', 'The image is only the difference to a parent disk.', { offset: parentOffset, value: 'has_parent' });
  }
  if (!isPowerOfTwo(blockBytes.value) || blockBytes.value < mebibyte || blockBytes.value > 256 * mebibyte) {
    refuse('vhdx.block_size', `The block size of ${blockBytes.value} bytes is impossible.`, { ...blockBytes });
  }
  if (sectorBytes.value !== 512 && sectorBytes.value !== 4096) {
    refuse('vhdx.sector_size', `The sector size of ${sectorBytes.value} bytes is impossible.`, { ...sectorBytes });
  }
  if (virtualSizeBytes.value > largestDiskBytes || virtualSizeBytes.value % BigInt(sectorBytes.value) !== 0n) {
    refuse('vhdx.virtual_size', `The disk size of ${virtualSizeBytes.value} bytes is above 64 TiB or no whole number of sectors.`, { ...virtualSizeBytes });
  }
}

/** So many entries does the table need, which it must have room for. */
function checkBlockTable({ blockBytes, virtualSizeBytes }: VhdxMetadata, blocksPerBitmap: number, table: VhdxRegion): number {
  const blocks = Number(ceilDivide(virtualSizeBytes.value, BigInt(blockBytes.value)));
  const entries = blocks === 0 ? 0 : blocks + Math.floor((blocks - 1) / blocksPerBitmap);
  if (entries * 8 > table.lengthBytes) {
    refuse('vhdx.block_table', `The block allocation table has ${table.lengthBytes} bytes where the disk needs ${entries * 8}.`, {
      offset: table.statedAt + 8,
      value: table.lengthBytes,
    });
  }
  return entries;
}
