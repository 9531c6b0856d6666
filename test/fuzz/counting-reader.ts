import type { ByteReader } from '../../src/formats/reading/byte-reader.ts';

/** What a reader was asked for. */
export interface ReadCost {
  readonly reads: number;
  readonly bytesRead: number;
  readonly largestRead: number;
}

/**
 * A reader over bytes in memory that behaves as one over a file: it takes memory of its own for what it gives. It counts, and
 * throws where it is asked for what no file could have.
 */
export class CountingReader implements ByteReader {
  readonly sizeBytes: number;
  reads = 0;
  bytesRead = 0;
  largestRead = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.sizeBytes = bytes.length;
    this.#bytes = bytes;
  }

  read(offset: number, length: number, into?: Uint8Array): Uint8Array {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) throw new RangeError(`read(${offset}, ${length})`);
    this.reads += 1;
    this.bytesRead += length;
    this.largestRead = Math.max(this.largestRead, length);
    const found = this.#bytes.subarray(offset, offset + length);
    if (into === undefined || into.length < found.length) return found.slice();
    into.set(found);
    return into.subarray(0, found.length);
  }
}
