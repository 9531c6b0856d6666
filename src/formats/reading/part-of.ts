import type { ByteReader } from './byte-reader.ts';

/** A part of a file, as a file of its own. Offsets in refusals count from its beginning. */
export function partOf(file: ByteReader, offset: number, sizeBytes: number): ByteReader {
  return { sizeBytes, read: (at, length, into) => file.read(offset + at, Math.min(length, Math.max(0, sizeBytes - at)), into) };
}
