import { ceilDivide, isInside } from './bounds.ts';
import { Fields } from './fields.ts';
import type { FormatInspector } from './format-inspector.ts';
import { refuse } from './refuse.ts';
import { hasAt } from './signature.ts';

const headerLength = 512;
const acceptedBlockBytes = 1024 * 1024;
const currentVersion = 0x0001_0001;
/** Most blocks that qemu reads a table of (block/vdi.c), about a petabyte. */
const blockLimit = 0x3fff_ffff;
const imageTypes: readonly string[] = ['', 'dynamic', 'static', 'undo', 'differencing'];

interface VdiHeader {
  readonly imageType: string;
  readonly tableOffset: number;
  readonly dataOffset: number;
  readonly diskBytes: bigint;
  readonly blocks: number;
  readonly blocksAllocated: number;
}

/** VirtualBox disk image, version 1.1, dynamic or static (VirtualBox Storage/VDICore.h). */
export const vdi: FormatInspector = {
  format: 'DISK_FORMAT_VDI',
  name: 'vdi',
  recognise: ({ head }) => hasAt(head, 0x40, '\x7f\x10\xda\xbe'),
  checkHead(head) {
    readHeader(head);
  },
  describe(file) {
    const header = readHeader(file.read(0, headerLength));
    const { tableOffset, dataOffset, blocks, blocksAllocated } = header;
    const tableEnd = tableOffset + blocks * 4;
    if (!isInside(BigInt(tableOffset), BigInt(blocks) * 4n, file.sizeBytes) || tableEnd > dataOffset) {
      refuse('vdi.block_table', `The block table at ${tableOffset} is not inside the file or reaches into the data.`, { offset: tableOffset.toString() });
    }
    const lastBlock = dataOffset + (blocksAllocated - 1) * acceptedBlockBytes;
    if (blocksAllocated > 0 && lastBlock >= file.sizeBytes) {
      refuse('vdi.size', `The file ends before the last of ${blocksAllocated} blocks.`, { offset: lastBlock.toString() });
    }
    return {
      virtualSizeBytes: ceilDivide(header.diskBytes, 512n) * 512n,
      warnings: [],
      facts: { image_type: header.imageType, block_bytes: acceptedBlockBytes.toString() },
    };
  },
};

/** Reads the header and judges what needs no look at the rest of the file. */
function readHeader(head: Uint8Array): VdiHeader {
  const fields = new Fields(head, 'VDI header');
  const version = fields.u32le(0x44);
  if (version !== currentVersion) {
    const text = `${version >>> 16}.${version & 0xffff}`;
    refuse('vdi.version', `The VDI version is ${text}.`, { value: text });
  }
  const imageType = checkKind(fields);
  const header: VdiHeader = {
    imageType,
    tableOffset: fields.u32le(0x154),
    dataOffset: fields.u32le(0x158),
    diskBytes: fields.u64le(0x170),
    blocks: fields.u32le(0x180),
    blocksAllocated: fields.u32le(0x184),
  };
  const { blocks, blocksAllocated, diskBytes, tableOffset, dataOffset } = header;
  if (blocks > blockLimit || blocksAllocated > blocks || diskBytes > BigInt(blocks) * BigInt(acceptedBlockBytes)) {
    refuse('vdi.size', `The disk of ${diskBytes} bytes does not fit its ${blocks} blocks, of which ${blocksAllocated} are in use.`);
  }
  if (tableOffset < headerLength || tableOffset % 512 !== 0 || dataOffset % 512 !== 0) {
    refuse('vdi.block_table', `The block table at ${tableOffset} or the data at ${dataOffset} is not aligned.`, { offset: tableOffset.toString() });
  }
  return header;
}

function checkKind(fields: Fields): string {
  const typeNumber = fields.u32le(0x4c);
  const imageType = imageTypes[typeNumber] ?? '';
  if (imageType === '') return refuse('vdi.header', `The image type ${typeNumber} is not known.`, { value: typeNumber.toString() });
  if (imageType === 'undo' || imageType === 'differencing') {
    refuse('vdi.image_type', `The image is of type "${imageType}": it is only a part of a disk.`, { value: imageType });
  }
  const hasLink = fields.slice(0x1a8, 32).some((byte) => byte !== 0);
  if (hasLink) refuse('vdi.parent', 'The image names a parent image.');
  const sectorBytes = fields.u32le(0x168);
  if (sectorBytes !== 512) refuse('vdi.header', `The sector size of ${sectorBytes} bytes is impossible.`, { value: sectorBytes.toString() });
  const blockBytes = fields.u32le(0x178);
  const extraBytes = fields.u32le(0x17c);
  if (blockBytes !== acceptedBlockBytes || extraBytes !== 0) {
    refuse('vdi.block_size', `Blocks of ${blockBytes} bytes with ${extraBytes} extra are not supported.`, { value: blockBytes.toString() });
  }
  return imageType;
}
