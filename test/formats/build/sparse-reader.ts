import type { ByteReader } from '../../../src/formats/reading/byte-reader.ts';

/** A reader over a file of any size that is zero but for a few pieces. Keeps how often and how much was read, and the most at once. */
export class SparseReader implements ByteReader {
  readonly sizeBytes: number;
  bytesRead = 0;
  reads = 0;
  mostAtOnce = 0;
  private readonly pieces: readonly (readonly [offset: number, bytes: Buffer])[];

  constructor(sizeBytes: number, pieces: readonly (readonly [offset: number, bytes: Buffer])[]) {
    this.sizeBytes = sizeBytes;
    this.pieces = pieces;
  }

  read(offset: number, length: number, into?: Uint8Array): Uint8Array {
    const end = Math.min(offset + length, this.sizeBytes);
    const bytes = into && into.length >= length ? into.subarray(0, end - offset) : new Uint8Array(end - offset);
    bytes.fill(0);
    for (const [at, piece] of this.pieces) {
      const from = Math.max(at, offset);
      const to = Math.min(at + piece.length, end);
      if (from < to) bytes.set(piece.subarray(from - at, to - at), from - offset);
    }
    this.bytesRead += bytes.length;
    this.reads += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, bytes.length);
    return bytes;
  }
}
