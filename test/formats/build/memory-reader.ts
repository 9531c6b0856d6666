import type { ByteReader } from '../../../src/formats/reading/byte-reader.ts';

/** A reader over bytes in memory that counts what is asked of it, as a file would have to deliver it. */
export class MemoryReader implements ByteReader {
  readonly sizeBytes: number;
  bytesRead = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.sizeBytes = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      throw new RangeError(`read(${offset}, ${length})`);
    }
    this.bytesRead += length;
    return this.bytes.slice(offset, offset + length);
  }
}
