import { ftruncateSync, writeSync } from 'node:fs';
import { DataExtents } from './data-extents.ts';

/** Appends to a new file, and leaves out what is zero: there the file has holes, which take no room and read as zeros. */
export class SparseWriter {
  readonly #fd: number;
  #extents = new DataExtents();
  #sizeBytes = 0;
  /** How long the file is by now; behind it there are only zeros that were left out. */
  #lengthBytes = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** What was appended so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes the next bytes. Throws what the system says; how much was appended is told by `sizeBytes`. */
  append(bytes: Uint8Array): void {
    const base = this.#sizeBytes;
    for (const { start, end } of this.#extents.next(bytes)) {
      this.#sizeBytes = base + start;
      while (this.#sizeBytes < base + end) {
        const at = this.#sizeBytes - base;
        this.#sizeBytes += writeSync(this.#fd, bytes, at, end - at, this.#sizeBytes);
        this.#lengthBytes = this.#sizeBytes;
      }
    }
    this.#sizeBytes = base + bytes.length;
  }

  /** Gives the file the length of what was appended, before it is read or flushed. Throws what the system says. */
  extend(): void {
    if (this.#lengthBytes >= this.#sizeBytes) return;
    ftruncateSync(this.#fd, this.#sizeBytes);
    this.#lengthBytes = this.#sizeBytes;
  }

  /** Empties the file. Throws what the system says. */
  restart(): void {
    ftruncateSync(this.#fd, 0);
    this.#extents = new DataExtents();
    this.#sizeBytes = 0;
    this.#lengthBytes = 0;
  }
}
