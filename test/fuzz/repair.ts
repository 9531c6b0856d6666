import { crc32 } from 'node:zlib';

import { crc32c } from '../../src/formats/reading/crc32c.ts';
import { formatNames } from './corpus.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { sealVhd } from '../formats/build/vhd.ts';

const kibibyte = 1024;

/** Gives structures of an altered image the checksums that they should have, so that what lies behind that check is reached. */
export function repairChecksums(image: Buffer, format: DiskFormat): void {
  if (format === formatNames.vhd) repairVhd(image);
  if (format === formatNames.vhdx) repairVhdx(image);
}

function repairVhd(image: Buffer): void {
  for (const footer of [0, image.length - 512]) {
    if (footer < 0 || image.toString('latin1', footer, footer + 8) !== 'conectix') continue;
    sealVhd(image.subarray(footer, footer + 512), 64);
    const header = Number(image.readBigUInt64BE(footer + 16));
    if (header + 1024 <= image.length) sealVhd(image.subarray(header, header + 1024), 36);
  }
}

function repairVhdx(image: Buffer): void {
  for (const [offset, length] of [[64, 4], [128, 4], [192, 64], [256, 64]] as const) {
    const structure = image.subarray(offset * kibibyte, (offset + length) * kibibyte);
    if (structure.length < length * kibibyte) return;
    structure.writeUInt32LE(0, 4);
    structure.writeUInt32LE(crc32c(structure), 4);
  }
}

/** Seals a GPT that begins at the second sector, and its entries, as far as they say where they are. */
export function repairGpt(image: Buffer): void {
  if (image.length < 1024 || image.toString('latin1', 512, 520) !== 'EFI PART') return;
  const [entriesAt, entries, entryBytes] = [Number(image.readBigUInt64LE(584)) * 512, image.readUInt32LE(592), image.readUInt32LE(596)];
  const end = entriesAt + entries * entryBytes;
  if (end <= image.length) image.writeUInt32LE(crc32(image.subarray(entriesAt, end)), 600);
  image.writeUInt32LE(0, 528);
  const headerBytes = Math.min(512, image.readUInt32LE(524));
  image.writeUInt32LE(crc32(image.subarray(512, 512 + headerBytes)), 528);
}
