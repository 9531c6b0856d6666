import type { Extent } from './extent.ts';

/** Neighbours are joined up to so many guest bytes; what is larger by itself stays as it is. */
export const extentRunLimitBytes = 16 * 1024 * 1024;

/**
 * Joins pieces that follow each other in the guest's disk, and where they are stored in the file too, so that data is read
 * in few large reads. A piece without an offset is of zeros.
 */
export class ExtentRun {
  #lengthBytes = 0;
  #offset: number | undefined;

  /** Appends a piece; answers the run before it where the two cannot be one extent. */
  add(lengthBytes: number, offset?: number): Extent | undefined {
    const expected = this.#offset === undefined ? undefined : this.#offset + this.#lengthBytes;
    if (this.#lengthBytes > 0 && offset === expected && this.#lengthBytes + lengthBytes <= extentRunLimitBytes) {
      this.#lengthBytes += lengthBytes;
      return undefined;
    }
    const before = this.end();
    this.#lengthBytes = lengthBytes;
    this.#offset = offset;
    return before;
  }

  /** The run so far, and begins a new one; undefined where there is none. */
  end(): Extent | undefined {
    const lengthBytes = this.#lengthBytes;
    this.#lengthBytes = 0;
    if (lengthBytes === 0) return undefined;
    return this.#offset === undefined ? { kind: 'zero', lengthBytes } : { kind: 'stored', lengthBytes, offset: this.#offset };
  }
}
