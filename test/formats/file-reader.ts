import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import type { ByteReader } from '../../src/formats/reading/byte-reader.ts';

/** A reader over a file of the test; `close` it. */
export class FileReader implements ByteReader {
  readonly sizeBytes: number;
  private readonly fd: number;

  constructor(path: string) {
    this.fd = openSync(path, 'r');
    this.sizeBytes = fstatSync(this.fd).size;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.sizeBytes - offset)));
    return bytes.subarray(0, readSync(this.fd, bytes, 0, bytes.length, offset));
  }

  close(): void {
    closeSync(this.fd);
  }
}
