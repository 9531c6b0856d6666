import { inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

import type { ByteReader } from '../../src/formats/reading/byte-reader.ts';
import type { Extent } from '../../src/formats/guest/extent.ts';
import { FileSpace } from '../../src/formats/guest/file-space.ts';
import type { GuestDisk } from '../../src/formats/guest/guest-disk.ts';

const decoders = { deflate: inflateRawSync, zlib: inflateSync, zstd: zstdDecompressSync } as const;

/** The guest's bytes, put together in the plainest way; throws where the extents break their contract. */
export function materialise(file: ByteReader, disk: GuestDisk): Buffer {
  const parts: Uint8Array[] = [];
  for (const extent of disk.walk()) parts.push(bytesOf(file, extent));
  const bytes = Buffer.concat(parts);
  if (BigInt(bytes.length) !== disk.sizeBytes) throw new Error(`The extents have ${bytes.length} bytes, the disk ${disk.sizeBytes}.`);
  return bytes;
}

function bytesOf(file: ByteReader, extent: Extent): Uint8Array {
  const { lengthBytes } = extent;
  if (lengthBytes <= 0) throw new Error('An extent of no bytes.');
  if (extent.kind === 'zero') return Buffer.alloc(lengthBytes);
  const storedBytes = extent.kind === 'stored' ? lengthBytes : extent.storedBytes;
  if (extent.offset < 0 || storedBytes <= 0 || extent.offset + storedBytes > file.sizeBytes) throw new Error('An extent outside the file.');
  const stored = file.read(extent.offset, storedBytes);
  if (extent.kind === 'stored') return stored;
  const decoded = decoders[extent.codec](stored);
  if (decoded.length < lengthBytes) throw new Error('A compressed extent is too short.');
  return decoded.subarray(0, lengthBytes);
}

/** The table check as the service makes it: every pass over the file, to its end. */
export function judgeTables(file: ByteReader, disk: GuestDisk): void {
  for (const space of FileSpace.passes(file.sizeBytes, disk.unitBytes)) {
    const walk = disk.walk(space);
    while (walk.next().done !== true);
  }
}
