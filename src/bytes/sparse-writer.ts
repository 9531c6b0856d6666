import { ftruncateSync, writeSync } from 'node:fs';

/** Zeros are looked for in pieces of so many bytes, at multiples of it in the file: the block of the file systems that there are. */
const blockBytes = 4 * 1024;

/** A run of zeros between data is left out only if it is so long: each hole makes the file one extent, and one call, longer. */
const holeBytes = 64 * 1024;

const zeros = Buffer.alloc(blockBytes);

/**
 * Appends to a new file, and leaves out what is zero: there the file has holes, which take no room and read as zeros. At its
 * borders a piece may leave out less than a run, since the run may go on in the next one.
 */
export class SparseWriter {
  readonly #fd: number;
  #sizeBytes = 0;
  /** How long the file is by now; behind it there are only zeros that were left out. */
  #lengthBytes = 0;
  #endsInHole = false;

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
    let dataStart = 0;
    for (let at = 0; at < bytes.length; ) {
      const end = zeroEnd(bytes, at, base);
      if (end === at) {
        at = blockEnd(at, base, bytes.length);
        continue;
      }
      const isPartOfHole = end - at >= holeBytes || end === bytes.length || (at === 0 && this.#endsInHole);
      if (isPartOfHole) {
        this.#write(bytes, dataStart, at, base);
        dataStart = end;
        this.#sizeBytes = base + end;
      }
      at = end;
    }
    this.#write(bytes, dataStart, bytes.length, base);
    this.#endsInHole = dataStart === bytes.length;
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
    this.#sizeBytes = 0;
    this.#lengthBytes = 0;
    this.#endsInHole = false;
  }

  #write(bytes: Uint8Array, start: number, end: number, base: number): void {
    for (let at = start; at < end; ) {
      at += writeSync(this.#fd, bytes, at, end - at, base + at);
      this.#sizeBytes = base + at;
      this.#lengthBytes = this.#sizeBytes;
    }
  }
}

/** Where the block that holds this byte ends, or the bytes do. */
function blockEnd(at: number, base: number, length: number): number {
  return Math.min(length, at + blockBytes - ((base + at) % blockBytes));
}

/** Where the zeros that begin at `at` end, in whole blocks; `at` where there are none. */
function zeroEnd(bytes: Uint8Array, at: number, base: number): number {
  let end = at;
  while (end < bytes.length) {
    const next = blockEnd(end, base, bytes.length);
    // Nearly all data shows in its first byte or its last; the comparison costs a call.
    if (bytes[end] !== 0 || bytes[next - 1] !== 0 || zeros.compare(bytes, end, next, 0, next - end) !== 0) break;
    end = next;
  }
  return end;
}
