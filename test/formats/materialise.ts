import type { ByteReader } from '../../src/formats/byte-reader.ts';
import type { GuestDisk } from '../../src/formats/guest-disk.ts';

/** The guest's disk in full, as the extents of a walk give it; only for disks that fit into memory and hold nothing compressed. */
export function materialise(file: ByteReader, disk: GuestDisk): Buffer {
  const bytes = Buffer.alloc(Number(disk.sizeBytes));
  let at = 0;
  for (const extent of disk.walk()) {
    if (extent.kind === 'compressed') throw new Error(`compressed at ${at}`);
    if (extent.kind === 'stored') bytes.set(file.read(extent.offset, extent.lengthBytes), at);
    at += extent.lengthBytes;
  }
  if (at !== bytes.length) throw new Error(`The extents have ${at} bytes, the disk ${bytes.length}.`);
  return bytes;
}
