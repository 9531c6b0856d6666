/** Zeros are looked for in pieces of so many bytes, at multiples of it in the file: the block of the file systems that there are. */
const blockBytes = 4 * 1024;

/** A run of zeros between data is left out only if it is so long: each hole makes the file one extent, and one call, longer. */
const holeBytes = 64 * 1024;

const zeros = Buffer.alloc(blockBytes);

/** Bytes from `start` up to `end` of a piece. */
export interface DataExtent {
  readonly start: number;
  readonly end: number;
}

/**
 * Tells what of a file, which comes piece by piece, is to be written: all but runs of zeros. At its borders a piece may leave out
 * less than a run, since the run may go on in the next one.
 */
export class DataExtents {
  #sizeBytes = 0;
  #endsInHole = false;

  /** The data in the next piece of the file, in order; what lies between is zero. */
  next(bytes: Uint8Array): readonly DataExtent[] {
    const base = this.#sizeBytes;
    const extents: DataExtent[] = [];
    let dataStart = 0;
    for (let at = 0; at < bytes.length; ) {
      const end = zeroEnd(bytes, at, base);
      if (end === at) {
        at = blockEnd(at, base, bytes.length);
        continue;
      }
      const isPartOfHole = end - at >= holeBytes || end === bytes.length || (at === 0 && this.#endsInHole);
      if (isPartOfHole) {
        if (at > dataStart) extents.push({ start: dataStart, end: at });
        dataStart = end;
      }
      at = end;
    }
    if (bytes.length > dataStart) extents.push({ start: dataStart, end: bytes.length });
    this.#endsInHole = dataStart === bytes.length;
    this.#sizeBytes = base + bytes.length;
    return extents;
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
