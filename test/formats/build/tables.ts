import { crc32 } from 'node:zlib';

import type { Change } from './change.ts';

/** An entry of a master or extended boot record, in sectors. */
export const mbrEntry = (record: number, index: number, type: number, start: number, sectors: number): Change => (image) => {
  const at = record + 446 + index * 16;
  image.writeUInt8(type, at + 4);
  image.writeUInt32LE(start, at + 8);
  image.writeUInt32LE(sectors, at + 12);
  image.write('\x55\xaa', record + 510, 'latin1');
};

/** A GUID partition table with a protective master boot record, for partitions that begin at these sectors (UEFI 2.10, 5.3). */
export const gptTable = (
  starts: readonly number[],
  { sectorBytes = 512, entries = 128, entryBytes = 128, entriesAt = 2 } = {},
): Change => (image) => {
  mbrEntry(0, 0, 0xee, 1, image.length / sectorBytes - 1)(image);
  const first = entriesAt * sectorBytes;
  starts.forEach((start, index) => {
    image.fill(1 + (index % 255), first + index * entryBytes, first + index * entryBytes + 32);
    image.writeBigUInt64LE(BigInt(start), first + index * entryBytes + 32);
    image.writeBigUInt64LE(BigInt(start + 7), first + index * entryBytes + 40);
  });
  const header = image.subarray(sectorBytes, sectorBytes + 92);
  header.write('EFI PART', 0, 'latin1');
  header.writeUInt32LE(0x0001_0000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(BigInt(entriesAt), 72);
  header.writeUInt32LE(entries, 80);
  header.writeUInt32LE(entryBytes, 84);
  header.writeUInt32LE(crc32(image.subarray(first, first + entries * entryBytes)), 88);
  header.writeUInt32LE(crc32(header), 16);
};

/** Magics of file systems, for a partition that begins at a byte. */
export const fileSystems = {
  ext4: (at: number): Change => (image) => {
    image.writeUInt16LE(0xef53, at + 1080);
    image.writeUInt16LE(0x2c2, at + 1120);
  },
  fat: (at: number): Change => (image) => {
    image.write('\xeb\x58\x90mkfs.fat', at, 'latin1');
    image.write('FAT32   ', at + 82, 'latin1');
    image.write('\x55\xaa', at + 510, 'latin1');
  },
  swap: (at: number): Change => (image) => void image.write('SWAPSPACE2', at + 4086, 'latin1'),
  btrfs: (at: number): Change => (image) => void image.write('_BHRfS_M', at + 65_600, 'latin1'),
  luks: (at: number): Change => (image) => void image.write('LUKS\xba\xbe\0\x02', at, 'latin1'),
} as const;
