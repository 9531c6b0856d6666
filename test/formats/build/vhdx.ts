import { crc32c } from '../../../src/formats/reading/crc32c.ts';
import { changed } from './change.ts';
import type { Change } from './change.ts';

const kibibyte = 1024;
const mebibyte = 1024 * 1024;
const metadataOffset = 2 * mebibyte;
const tableOffset = 3 * mebibyte;
/** Where the block allocation table of `buildVhdx` is, and its two blocks of 8 MiB would be. */
export const vhdxTableAt = tableOffset;
export const vhdxBlocksAt = 4 * mebibyte;

const ids = {
  blockTable: '6677c22d23f600429d64115e9bfd4a08',
  metadata: '06a27c8b90479a4bb8fe575f050f886e',
  fileParameters: '3767a1ca36fa434db3b633f0aa44e76b',
  virtualDiskSize: '2442a52f1bcd7648b2115dbed83bf4b8',
  logicalSectorSize: '1dbf41816fa90947ba47f233a8faab5f',
  physicalSectorSize: 'c748a3cd5d4471449cc9e9885251c556',
  virtualDiskId: 'ab12cabee6b2234593efc309e000c746',
} as const;

/** Changes to each structure, made before its checksum is. The headers and region tables are each made twice. */
export interface VhdxChanges {
  readonly header?: readonly Change[];
  readonly regions?: readonly Change[];
  readonly metadata?: readonly Change[];
  /** So many bytes follow the table, for blocks. */
  readonly dataBytes?: number;
  readonly file?: readonly Change[];
}

/** A GUID as bytes, for entries that no reader knows. */
export const unknownId: Change = (image) => void image.fill(0x77, 16 + 64, 16 + 80);

function header(sequence: bigint, changes: readonly Change[] = []): Buffer {
  const bytes = Buffer.alloc(4 * kibibyte);
  bytes.write('head', 0, 'latin1');
  bytes.writeBigUInt64LE(sequence, 8);
  bytes.writeUInt16LE(1, 66);
  bytes.writeUInt32LE(mebibyte, 68);
  bytes.writeBigUInt64LE(BigInt(mebibyte), 72);
  return seal(changed(bytes, ...changes));
}

function regionTable(changes: readonly Change[] = []): Buffer {
  const bytes = Buffer.alloc(64 * kibibyte);
  bytes.write('regi', 0, 'latin1');
  bytes.writeUInt32LE(2, 8);
  writeRegion(bytes, 0, ids.blockTable, tableOffset);
  writeRegion(bytes, 1, ids.metadata, metadataOffset);
  return seal(changed(bytes, ...changes));
}

function writeRegion(bytes: Buffer, index: number, id: string, offset: number): void {
  const at = 16 + index * 32;
  bytes.write(id, at, 'hex');
  bytes.writeBigUInt64LE(BigInt(offset), at + 16);
  bytes.writeUInt32LE(mebibyte, at + 24);
  bytes.writeUInt32LE(1, at + 28);
}

function metadataRegion(changes: readonly Change[] = []): Buffer {
  const bytes = Buffer.alloc(mebibyte);
  const items: readonly (readonly [id: string, value: Buffer, flags: number])[] = [
    [ids.fileParameters, u32s(8 * mebibyte, 0), 4],
    [ids.virtualDiskSize, u32s(10 * mebibyte, 0), 6],
    [ids.logicalSectorSize, u32s(512), 6],
    [ids.physicalSectorSize, u32s(4096), 6],
    [ids.virtualDiskId, Buffer.alloc(16, 0x42), 6],
  ];
  bytes.write('metadata', 0, 'latin1');
  bytes.writeUInt16LE(items.length, 10);
  items.forEach(([id, value, flags], index) => {
    const at = 32 + index * 32;
    const place = 64 * kibibyte + index * 16;
    bytes.write(id, at, 'hex');
    bytes.writeUInt32LE(place, at + 16);
    bytes.writeUInt32LE(value.length, at + 20);
    bytes.writeUInt32LE(flags, at + 24);
    value.copy(bytes, place);
  });
  return changed(bytes, ...changes);
}

function u32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => void bytes.writeUInt32LE(value, index * 4));
  return bytes;
}

function seal(structure: Buffer): Buffer {
  structure.writeUInt32LE(0, 4);
  structure.writeUInt32LE(crc32c(structure), 4);
  return structure;
}

/**
 * An empty dynamic VHDX of 10 MiB ([MS-VHDX]): identifier, two headers, two region tables, log at 1 MiB, metadata at
 * 2 MiB (file parameters at 64 KiB in it, 16 bytes for each item), block table at 3 MiB.
 */
export function buildVhdx(changes: VhdxChanges = {}): Buffer {
  const image = Buffer.alloc(4 * mebibyte + (changes.dataBytes ?? 0));
  image.write('vhdxfile', 0, 'latin1');
  header(1n, changes.header).copy(image, 64 * kibibyte);
  header(2n, changes.header).copy(image, 128 * kibibyte);
  regionTable(changes.regions).copy(image, 192 * kibibyte);
  regionTable(changes.regions).copy(image, 256 * kibibyte);
  metadataRegion(changes.metadata).copy(image, metadataOffset);
  return changed(image, ...(changes.file ?? []));
}
