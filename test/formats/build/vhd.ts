import { changed } from './change.ts';
import type { Change } from './change.ts';

const mebibyte = 1024 * 1024;

/** What a VHD's footer says; by default 1 MiB made by Hyper-V, whose size field counts. */
export interface FooterOptions {
  readonly diskType?: number;
  readonly creatorApp?: string;
  readonly currentSize?: bigint;
  readonly geometry?: readonly [cylinders: number, heads: number, sectors: number];
  readonly dataOffset?: bigint;
}

/** The one's complement sum that stands at `at`. */
export function sealVhd(structure: Buffer, at: number): void {
  structure.writeUInt32BE(0, at);
  structure.writeUInt32BE(~structure.reduce((sum, byte) => sum + byte, 0) >>> 0, at);
}

/** A footer with its checksum. */
export function vhdFooter(options: FooterOptions = {}): Buffer {
  const footer = Buffer.alloc(512);
  const [cylinders, heads, sectors] = options.geometry ?? [30, 4, 17];
  const diskType = options.diskType ?? 2;
  footer.write('conectix', 0, 'latin1');
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x0001_0000, 12);
  footer.writeBigUInt64BE(options.dataOffset ?? (diskType === 2 ? 0xffff_ffff_ffff_ffffn : 512n), 16);
  footer.write(options.creatorApp ?? 'win ', 28, 'latin1');
  footer.writeBigUInt64BE(options.currentSize ?? BigInt(mebibyte), 40);
  footer.writeBigUInt64BE(options.currentSize ?? BigInt(mebibyte), 48);
  footer.writeUInt16BE(cylinders, 56);
  footer.writeUInt8(heads, 58);
  footer.writeUInt8(sectors, 59);
  footer.writeUInt32BE(diskType, 60);
  footer.fill(0x5a, 68, 84);
  sealVhd(footer, 64);
  return footer;
}

/** A fixed VHD: the guest's disk, here zeros with `changes`, and the footer. */
export function buildFixedVhd(options: FooterOptions = {}, ...changes: readonly Change[]): Buffer {
  return Buffer.concat([changed(Buffer.alloc(mebibyte), ...changes), vhdFooter(options)]);
}

/** An empty dynamic VHD: footer copy, dynamic header (to which `changes` apply before it is sealed), table, footer. */
export function buildDynamicVhd(options: FooterOptions = {}, ...changes: readonly Change[]): Buffer {
  const footer = vhdFooter({ diskType: 3, ...options });
  const header = Buffer.alloc(1024);
  header.write('cxsparse', 0, 'latin1');
  header.writeBigUInt64BE(0xffff_ffff_ffff_ffffn, 8);
  header.writeBigUInt64BE(1536n, 16);
  header.writeUInt32BE(0x0001_0000, 24);
  header.writeUInt32BE(2, 28);
  header.writeUInt32BE(2 * mebibyte, 32);
  changed(header, ...changes);
  sealVhd(header, 36);
  return Buffer.concat([footer, header, Buffer.alloc(512, 0xff), footer]);
}

/** A block of a dynamic VHD. `bitmap`: the byte that fills the bitmap of its sectors; all written where absent. */
export interface BlockOptions {
  readonly data: Buffer;
  readonly bitmap?: number;
}

/** Where the block allocation table and the first block of `buildBlockVhd` are. */
export const blockTableAt = 1536;
export const firstBlockAt = 2048;

/** A dynamic VHD of blocks of 4 KiB, in order behind a table of one sector; undefined: not allocated. `changes` come last. */
export function buildBlockVhd(blocks: readonly (BlockOptions | undefined)[], ...changes: readonly Change[]): Buffer {
  const blockBytes = 4096;
  const empty = buildDynamicVhd({ currentSize: BigInt(blocks.length * blockBytes) }, (header) => {
    header.writeUInt32BE(blocks.length, 28);
    header.writeUInt32BE(blockBytes, 32);
  });
  const parts: Buffer[] = [];
  blocks.forEach((block, index) => {
    if (!block) return;
    empty.writeUInt32BE(firstBlockAt / 512 + parts.length * (1 + blockBytes / 512), blockTableAt + index * 4);
    parts.push(Buffer.concat([Buffer.alloc(512, block.bitmap ?? 0xff), block.data, Buffer.alloc(blockBytes - block.data.length)]));
  });
  return changed(Buffer.concat([empty.subarray(0, firstBlockAt), ...parts, empty.subarray(firstBlockAt)]), ...changes);
}
