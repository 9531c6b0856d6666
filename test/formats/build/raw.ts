import { changed } from './change.ts';
import type { Change } from './change.ts';

const mebibyte = 1024 * 1024;

/** A master boot record with one Linux partition, at the beginning of whatever it is applied to. */
export const mbr: Change = (image) => {
  image.writeUInt8(0x80, 446);
  image.writeUInt8(0x83, 450);
  image.writeUInt32LE(2048, 454);
  image.writeUInt32LE(2048, 458);
  image.write('\x55\xaa', 510, 'latin1');
};

/** A protective master boot record and a GUID partition table header. */
export const gpt: Change = (image) => {
  mbr(image);
  image.writeUInt8(0xee, 450);
  image.write('EFI PART', 512, 'latin1');
};

/** A raw disk of 1 MiB. */
export function buildRaw(...changes: readonly Change[]): Buffer {
  return changed(Buffer.alloc(mebibyte), ...changes);
}
