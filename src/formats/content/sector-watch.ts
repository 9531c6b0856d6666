/** The sectors that are watched, in bytes; the bytes that are given are whole ones. */
export const watchedSectorBytes = 512;

interface Watched {
  readonly offset: number;
  readonly found: (sector: Uint8Array) => void;
}

/**
 * Picks single sectors out of a disk that goes by once, in ascending order. At most `limit` are watched at a time and in
 * all; more are ignored, and so are those that have gone by already.
 */
export class SectorWatch {
  readonly #limit: number;
  readonly #watched: Watched[] = [];
  #next = 0;
  /** Everything before it has gone by. */
  #position = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `found` gets the sector at `offset` when it goes by, to be used at once; never, where it is not given. */
  watch(offset: number, found: (sector: Uint8Array) => void): void {
    if (offset < this.#position || this.#watched.length >= this.#limit) return;
    // Equal offsets stay in the order in which they came.
    let at = this.#watched.length;
    while (at > this.#next && (this.#watched[at - 1]?.offset ?? 0) > offset) at -= 1;
    this.#watched.splice(at, 0, { offset, found });
  }

  /** Shows the bytes at `offset`; what was skipped since the last call is not looked at. */
  pass(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    this.#position = Math.max(this.#position, offset);
    for (let next = this.#watched[this.#next]; next !== undefined && next.offset < end; next = this.#watched[this.#next]) {
      this.#next += 1;
      if (next.offset < this.#position) continue;
      this.#position = next.offset;
      const sector = bytes.subarray(next.offset - offset, next.offset - offset + watchedSectorBytes);
      if (sector.length === watchedSectorBytes) next.found(sector);
    }
    this.#position = Math.max(this.#position, end);
  }
}
