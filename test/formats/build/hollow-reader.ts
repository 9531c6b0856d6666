import type { ByteReader } from '../../../src/formats/reading/byte-reader.ts';

/** A reader over a file of any size that is all zeros but for some pieces, and counts what is asked of it. */
export class HollowReader implements ByteReader {
  readonly sizeBytes: number;
  largestRead = 0;
  reads = 0;
  readonly #pieces: readonly (readonly [offset: number, bytes: Uint8Array])[];

  constructor(sizeBytes: number, ...pieces: readonly (readonly [offset: number, bytes: Uint8Array])[]) {
    this.sizeBytes = sizeBytes;
    this.#pieces = pieces;
  }

  read(offset: number, length: number): Uint8Array {
    this.reads += 1;
    this.largestRead = Math.max(this.largestRead, length);
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.sizeBytes - offset)));
    for (const [start, piece] of this.#pieces) {
      const from = Math.max(start, offset);
      const end = Math.min(start + piece.length, offset + bytes.length);
      if (from < end) bytes.set(piece.subarray(from - start, end - start), from - offset);
    }
    return bytes;
  }
}
