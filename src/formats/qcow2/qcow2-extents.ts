import type { Extent } from '../guest/extent.ts';
import type { Qcow2Layout } from './qcow2-layout.ts';

/** Stored extents are merged up to so many bytes, so that whoever reads one whole needs no more. */
const largestStoredBytes = 16 * 1024 * 1024;

/**
 * Collects the pieces of the guest's disk in order and makes extents of them: neighbours that stand next to each other in
 * the file are merged, as are zeros; the last is cut to the disk's end; and what a cluster lacks because the file ends
 * inside it reads as zeros, as it does in qemu (block/io.c, reads beyond the end of a file).
 */
export class Qcow2Extents {
  readonly #fileBytes: number;
  readonly #codec: Qcow2Layout['codec'];
  #remainingBytes: number;
  #extents: Extent[] = [];
  /** The extent that may still grow; none where its length is 0. */
  #lengthBytes = 0;
  /** Where it is stored; undefined: zeros. */
  #offset: number | undefined;

  constructor({ diskBytes, fileBytes, codec }: Qcow2Layout) {
    this.#remainingBytes = diskBytes;
    this.#fileBytes = fileBytes;
    this.#codec = codec;
  }

  /** Whether the disk's end is reached; more pieces are left out then. */
  get isComplete(): boolean {
    return this.#remainingBytes === 0;
  }

  zero(lengthBytes: number): void {
    this.#grow(this.#cut(lengthBytes), undefined);
  }

  stored(offset: number, lengthBytes: number): void {
    const length = this.#cut(lengthBytes);
    const inside = Math.max(0, Math.min(length, this.#fileBytes - offset));
    this.#grow(inside, offset);
    this.#grow(length - inside, undefined);
  }

  /** A cluster of `lengthBytes`. At the disk's end it decodes to more than the extent's length, which is no part of the disk. */
  compressed(offset: number, storedBytes: number, lengthBytes: number): void {
    const length = this.#cut(lengthBytes);
    if (length === 0) return;
    this.#flush();
    this.#extents.push({ kind: 'compressed', lengthBytes: length, offset, storedBytes, codec: this.#codec });
  }

  /** What was collected since the last call. */
  take(): readonly Extent[] {
    this.#flush();
    const extents = this.#extents;
    this.#extents = [];
    return extents;
  }

  #cut(lengthBytes: number): number {
    const length = Math.min(lengthBytes, this.#remainingBytes);
    this.#remainingBytes -= length;
    return length;
  }

  #grow(lengthBytes: number, offset: number | undefined): void {
    if (lengthBytes === 0) return;
    if (!this.#isContinuedBy(lengthBytes, offset)) {
      this.#flush();
      this.#offset = offset;
    }
    this.#lengthBytes += lengthBytes;
  }

  #isContinuedBy(lengthBytes: number, offset: number | undefined): boolean {
    if (offset === undefined || this.#offset === undefined) return offset === this.#offset;
    return this.#offset + this.#lengthBytes === offset && this.#lengthBytes + lengthBytes <= largestStoredBytes;
  }

  #flush(): void {
    const lengthBytes = this.#lengthBytes;
    if (lengthBytes === 0) return;
    this.#extents.push(this.#offset === undefined ? { kind: 'zero', lengthBytes } : { kind: 'stored', lengthBytes, offset: this.#offset });
    this.#lengthBytes = 0;
  }
}
