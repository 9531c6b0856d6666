import { ceilDivide, isPowerOfTwo } from './bounds.ts';
import type { FormatInspector } from './format-inspector.ts';
import { refuse } from './refuse.ts';
import { beginsWith } from './signature.ts';
import { checkVhdxHeaders } from './vhdx-header.ts';
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
    checkVhdxHeaders(read);
    readVhdxRegions(read, sizeBytes);
  },
  describe(file) {
    const read = (offset: number, length: number): Uint8Array => file.read(offset, length);
    checkVhdxHeaders(read);
    const { blockTable, metadata } = readVhdxRegions(read, file.sizeBytes);
    const disk = readVhdxMetadata(file, metadata);
    checkDisk(disk);
    checkBlockTable(disk, blockTable);
    return {
      virtualSizeBytes: disk.virtualSizeBytes,
      warnings: [],
      facts: { block_bytes: disk.blockBytes.toString(), logical_sector_bytes: disk.sectorBytes.toString() },
    };
  },
};

function checkDisk({ hasParent, blockBytes, sectorBytes, virtualSizeBytes }: VhdxMetadata): void {
  if (hasParent) refuse('vhdx.parent', 'The image is only the difference to a parent disk.');
  if (!isPowerOfTwo(blockBytes) || blockBytes < mebibyte || blockBytes > 256 * mebibyte) {
    refuse('vhdx.block_size', `The block size of ${blockBytes} bytes is impossible.`, { value: blockBytes.toString() });
  }
  if (sectorBytes !== 512 && sectorBytes !== 4096) {
    refuse('vhdx.sector_size', `The sector size of ${sectorBytes} bytes is impossible.`, { value: sectorBytes.toString() });
  }
  if (virtualSizeBytes > largestDiskBytes || virtualSizeBytes % BigInt(sectorBytes) !== 0n) {
    refuse('vhdx.virtual_size', `The disk size of ${virtualSizeBytes} bytes is above 64 TiB or no whole number of sectors.`, {
      value: virtualSizeBytes.toString(),
    });
  }
}

function checkBlockTable({ blockBytes, sectorBytes, virtualSizeBytes }: VhdxMetadata, { lengthBytes }: VhdxRegion): void {
  const blocks = ceilDivide(virtualSizeBytes, BigInt(blockBytes));
  const blocksPerBitmap = (sectorsPerBitmap * BigInt(sectorBytes)) / BigInt(blockBytes);
  const entries = blocks === 0n ? 0n : blocks + (blocks - 1n) / blocksPerBitmap;
  if (entries * 8n > BigInt(lengthBytes)) {
    refuse('vhdx.block_table', `The block allocation table has ${lengthBytes} bytes where the disk needs ${entries * 8n}.`);
  }
}
