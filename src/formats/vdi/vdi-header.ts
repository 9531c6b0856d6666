import { Fields } from '../reading/fields.ts';
import { refuse } from '../refuse.ts';

/** What the header takes, with the signature and the text before it. */
export const vdiHeaderBytes = 512;
/** The one size of blocks that qemu reads (block/vdi.c). */
export const vdiBlockBytes = 1024 * 1024;

const currentVersion = 0x0001_0001;
/** Most blocks that qemu reads a table of (block/vdi.c), about a petabyte. */
const blockLimit = 0x3fff_ffff;
const imageTypes: readonly string[] = ['', 'dynamic', 'static', 'undo', 'differencing'];

/** What the header says of the disk; units as the file has them. */
export interface VdiHeader {
  readonly imageType: string;
  readonly tableOffset: number;
  readonly dataOffset: number;
  readonly diskBytes: bigint;
  readonly blocks: number;
  readonly blocksAllocated: number;
}

/** Where the fields stand in the file. */
export const vdiHeaderAt = {
  version: 0x44,
  imageType: 0x4c,
  tableOffset: 0x154,
  dataOffset: 0x158,
  sectorBytes: 0x168,
  diskBytes: 0x170,
  blockBytes: 0x178,
  extraBytes: 0x17c,
  blocks: 0x180,
  blocksAllocated: 0x184,
  link: 0x1a8,
} as const;

/** Reads the header and judges what needs no look at the rest of the file. */
export function readVdiHeader(head: Uint8Array): VdiHeader {
  const at = vdiHeaderAt;
  const fields = new Fields(head, 'VDI header');
  const version = fields.u32le(at.version);
  if (version !== currentVersion) {
    const value = `${version >>> 16}.${version & 0xffff}`;
    refuse('vdi.version', `The VDI version is ${value}.`, { offset: at.version, value });
  }
  const imageType = checkKind(fields);
  const header: VdiHeader = {
    imageType,
    tableOffset: fields.u32le(at.tableOffset),
    dataOffset: fields.u32le(at.dataOffset),
    diskBytes: fields.u64le(at.diskBytes),
    blocks: fields.u32le(at.blocks),
    blocksAllocated: fields.u32le(at.blocksAllocated),
  };
  checkSize(header);
  const { tableOffset, dataOffset } = header;
  if (tableOffset < vdiHeaderBytes || tableOffset % 512 !== 0) {
    refuse('vdi.block_table', `The block table at ${tableOffset} is in the header or not aligned.`, { offset: at.tableOffset, value: tableOffset });
  }
  if (dataOffset % 512 !== 0) refuse('vdi.block_table', `The data at ${dataOffset} is not aligned.`, { offset: at.dataOffset, value: dataOffset });
  return header;
}

function checkSize({ blocks, blocksAllocated, diskBytes }: VdiHeader): void {
  const at = vdiHeaderAt;
  if (blocks > blockLimit) refuse('vdi.size', `The disk has ${blocks} blocks, more than readers take.`, { offset: at.blocks, value: blocks });
  if (blocksAllocated > blocks) {
    refuse('vdi.size', `Of ${blocks} blocks ${blocksAllocated} are said to be in use.`, { offset: at.blocksAllocated, value: blocksAllocated });
  }
  if (diskBytes > BigInt(blocks) * BigInt(vdiBlockBytes)) {
    refuse('vdi.size', `The disk of ${diskBytes} bytes does not fit its ${blocks} blocks.`, { offset: at.diskBytes, value: diskBytes });
  }
}

function checkKind(fields: Fields): string {
  const at = vdiHeaderAt;
  const typeNumber = fields.u32le(at.imageType);
  const imageType = imageTypes[typeNumber] ?? '';
  const seen = { offset: at.imageType, value: typeNumber };
  if (imageType === '') return refuse('vdi.header', `The image type ${typeNumber} is not known.`, seen);
  if (imageType === 'undo' || imageType === 'differencing') {
    refuse('vdi.image_type', `The image is of type "${imageType}": it is only a part of a disk.`, { ...seen, value: imageType });
  }
  const links = fields.slice(at.link, 32);
  const index = links.findIndex((byte) => byte !== 0);
  if (index >= 0) {
    const value = Buffer.from(links).toString('hex');
    refuse('vdi.parent', 'The image names a parent image.', { offset: at.link + index, value });
  }
  const sectorBytes = fields.u32le(at.sectorBytes);
  if (sectorBytes !== 512) refuse('vdi.header', `The sector size of ${sectorBytes} bytes is impossible.`, { offset: at.sectorBytes, value: sectorBytes });
  const blockBytes = fields.u32le(at.blockBytes);
  if (blockBytes !== vdiBlockBytes) refuse('vdi.block_size', `Blocks of ${blockBytes} bytes are not supported.`, { offset: at.blockBytes, value: blockBytes });
  const extraBytes = fields.u32le(at.extraBytes);
  if (extraBytes !== 0) refuse('vdi.block_size', `Blocks with ${extraBytes} extra bytes are not supported.`, { offset: at.extraBytes, value: extraBytes });
  return imageType;
}
