/** The units that one pass remembers: a bit each for what is used alone and what is shared, 2 MiB together. */
const unitsPerPass = 8 * 1024 * 1024;

/**
 * Which parts of a file were given out, to find what is given out twice. Memory is bounded whatever the file's size: a
 * large file is gone through in several passes, each of which remembers one window of it and takes the rest for free.
 */
export class FileSpace {
  readonly #unitBytes: number;
  readonly #firstUnit: number;
  readonly #units: number;
  readonly #alone: Uint8Array;
  readonly #shared: Uint8Array;

  private constructor(unitBytes: number, firstUnit: number, units: number) {
    this.#unitBytes = unitBytes;
    this.#firstUnit = firstUnit;
    this.#units = units;
    this.#alone = new Uint8Array(Math.ceil(units / 8));
    this.#shared = new Uint8Array(Math.ceil(units / 8));
  }

  /** The part of the file that this pass remembers: from `startBytes` on, to before `endBytes`. */
  get startBytes(): number {
    return this.#firstUnit * this.#unitBytes;
  }

  get endBytes(): number {
    return (this.#firstUnit + this.#units) * this.#unitBytes;
  }

  /** One space for each pass over a file of `sizeBytes`. `unitBytes` is a power of two. */
  static *passes(sizeBytes: number, unitBytes: number): Generator<FileSpace, void, undefined> {
    const total = Math.ceil(sizeBytes / unitBytes);
    for (let first = 0; first < total; first += unitsPerPass) yield new FileSpace(unitBytes, first, Math.min(unitsPerPass, total - first));
  }

  /** Whether this pass remembers the unit at `offset`. Exactly one of all passes does: work that is to be done once is done there. */
  holds(offset: number): boolean {
    const unit = Math.floor(offset / this.#unitBytes) - this.#firstUnit;
    return unit >= 0 && unit < this.#units;
  }

  /** Takes `lengthBytes` from `offset` on for one user alone. False: somebody uses a part of it already. */
  claim(offset: number, lengthBytes: number): boolean {
    let isFree = true;
    this.#each(offset, lengthBytes, (byte, bit) => {
      if (((this.#alone[byte] ?? 0) | (this.#shared[byte] ?? 0)) & bit) isFree = false;
      this.#alone[byte] = (this.#alone[byte] ?? 0) | bit;
    });
    return isFree;
  }

  /** Takes `lengthBytes` from `offset` on together with others that call `share`. False: a part of it is somebody's alone. */
  share(offset: number, lengthBytes: number): boolean {
    let isFree = true;
    this.#each(offset, lengthBytes, (byte, bit) => {
      if ((this.#alone[byte] ?? 0) & bit) isFree = false;
      this.#shared[byte] = (this.#shared[byte] ?? 0) | bit;
    });
    return isFree;
  }

  #each(offset: number, lengthBytes: number, visit: (byte: number, bit: number) => void): void {
    const first = Math.max(0, Math.floor(offset / this.#unitBytes) - this.#firstUnit);
    const end = Math.min(this.#units, Math.ceil((offset + lengthBytes) / this.#unitBytes) - this.#firstUnit);
    for (let unit = first; unit < end; unit += 1) visit(unit >>> 3, 1 << (unit & 7));
  }
}
