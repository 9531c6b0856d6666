import { changed } from './change.ts';
import type { Change } from './change.ts';
import { noise } from './noise.ts';

const mebibyte = 1024 * 1024;

/** A VDI of 2 MiB, dynamic and empty or static and full of zeros (VirtualBox Storage/VDICore.h). */
export function buildVdi(imageType: 1 | 2, ...changes: readonly Change[]): Buffer {
  const allocated = imageType === 2 ? 2 : 0;
  const image = Buffer.alloc(1024 + allocated * mebibyte);
  image.write('<<< Oracle VM VirtualBox Disk Image >>>\n', 0, 'latin1');
  image.writeUInt32LE(0xbeda107f, 0x40);
  image.writeUInt32LE(0x0001_0001, 0x44);
  image.writeUInt32LE(0x190, 0x48);
  image.writeUInt32LE(imageType, 0x4c);
  image.writeUInt32LE(512, 0x154);
  image.writeUInt32LE(1024, 0x158);
  image.writeUInt32LE(512, 0x168);
  image.writeBigUInt64LE(BigInt(2 * mebibyte), 0x170);
  image.writeUInt32LE(mebibyte, 0x178);
  image.writeUInt32LE(2, 0x180);
  image.writeUInt32LE(allocated, 0x184);
  image.fill(0x42, 0x188, 0x1a8);
  for (let block = 0; block < 2; block += 1) image.writeUInt32LE(allocated > 0 ? block : 0xffff_ffff, 512 + 4 * block);
  return changed(image, ...changes);
}

/** Where the block table of `buildVdi` stands. */
export const blockTable = 512;

/** The guest's blocks that are stored, and as which: the last one first. */
const storedBlocks: readonly (readonly [block: number, stored: number])[] = [[4, 0], [0, 1], [1, 2]];

/** What the guest reads of `buildFullVdi`. */
export function vdiGuestDisk(): Buffer {
  const disk = Buffer.alloc(4 * mebibyte + mebibyte / 2);
  for (const [block] of storedBlocks) noise(mebibyte, 200 + block).copy(disk, block * mebibyte);
  return disk;
}

/** A dynamic VDI of 4.5 MiB with data: block 2 was never allocated, block 3 was discarded. */
export function buildFullVdi(...changes: readonly Change[]): Buffer {
  const image = Buffer.concat([buildVdi(1).subarray(0, 1024), Buffer.alloc(storedBlocks.length * mebibyte)]);
  image.writeBigUInt64LE(BigInt(4 * mebibyte + mebibyte / 2), 0x170);
  image.writeUInt32LE(5, 0x180);
  image.writeUInt32LE(storedBlocks.length, 0x184);
  image.writeUInt32LE(0xffff_ffff, blockTable + 2 * 4);
  image.writeUInt32LE(0xffff_fffe, blockTable + 3 * 4);
  for (const [block, stored] of storedBlocks) {
    image.writeUInt32LE(stored, blockTable + block * 4);
    noise(mebibyte, 200 + block).copy(image, 1024 + stored * mebibyte);
  }
  return changed(image, ...changes);
}
