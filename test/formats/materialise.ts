import type { ByteReader } from '../../src/formats/reading/byte-reader.ts';
import { FileSpace } from '../../src/formats/guest/file-space.ts';
import type { GuestDisk } from '../../src/formats/guest/guest-disk.ts';
import { guestBytes } from './build/guest-bytes.ts';

/** The guest's disk in full; throws where the extents break their contract. */
export function materialise(file: ByteReader, disk: GuestDisk): Buffer {
  const bytes = guestBytes(file, disk.walk());
  if (BigInt(bytes.length) !== disk.sizeBytes) throw new Error(`The extents have ${bytes.length} bytes, the disk ${disk.sizeBytes}.`);
  return bytes;
}

/** The table check as the service makes it: every pass over the file, to its end. */
export function judgeTables(file: ByteReader, disk: GuestDisk): void {
  for (const space of FileSpace.passes(file.sizeBytes, disk.unitBytes)) {
    const walk = disk.walk(space);
    while (walk.next().done !== true);
  }
}
