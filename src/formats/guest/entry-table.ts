import type { ByteReader } from '../reading/byte-reader.ts';
import { Fields } from '../reading/fields.ts';

/** Entries that are read at once: 64 KiB. */
const entriesPerPiece = 16 * 1024;

/**
 * A table of 32-bit little-endian numbers in a file, read piece by piece, so that a table of any length takes 64 KiB of
 * memory. The whole table lies inside the file; entries are cheap to read in order.
 */
export class EntryTable {
  readonly #file: ByteReader;
  readonly #what: string;
  readonly #offset: number;
  readonly #entries: number;
  readonly #buffer: Uint8Array;
  #piece: Fields;
  #first = 0;
  #end = 0;

  constructor(file: ByteReader, what: string, offset: number, entries: number) {
    this.#file = file;
    this.#what = what;
    this.#offset = offset;
    this.#entries = entries;
    this.#buffer = new Uint8Array(Math.min(entries, entriesPerPiece) * 4);
    this.#piece = new Fields(this.#buffer, what, offset);
  }

  /** Where in the file the entry stands. */
  offsetOf(index: number): number {
    return this.#offset + index * 4;
  }

  at(index: number): number {
    if (index < this.#first || index >= this.#end) {
      this.#first = index;
      this.#end = Math.min(this.#entries, index + entriesPerPiece);
      const start = this.offsetOf(index);
      this.#piece = new Fields(this.#file.read(start, (this.#end - index) * 4, this.#buffer), this.#what, start);
    }
    return this.#piece.u32le((index - this.#first) * 4);
  }
}
