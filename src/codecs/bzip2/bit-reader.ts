import type { ByteReader } from '../../formats/reading/byte-reader.ts';
import { refuse } from '../../formats/refuse.ts';

const windowBytes = 64 * 1024;

/** Reads bits, the highest of each byte first. Refuses by `compressed.truncated` where the content ends. */
export class BitReader {
  readonly #file: ByteReader;
  readonly #buffer = Buffer.allocUnsafeSlow(windowBytes);
  #window: Uint8Array = new Uint8Array(0);
  #windowEnd: number;
  #at = 0;
  /** The lowest `#count` bits are still to be read; the others are of the past. */
  #bits = 0;
  #count = 0;

  constructor(file: ByteReader, offset: number) {
    this.#file = file;
    this.#windowEnd = offset;
  }

  /** The byte that the next bit is in, as a place in the file. */
  get offset(): number {
    return this.#windowEnd - this.#window.length + this.#at - Math.ceil(this.#count / 8);
  }

  /** The next bits as a number, 1 to 24 of them. */
  read(count: number): number {
    const value = this.peek(count);
    this.#count -= count;
    return value;
  }

  /** The next bits without passing them. */
  peek(count: number): number {
    while (this.#count < count) {
      if (this.#at === this.#window.length) this.#fill(count);
      this.#bits = (this.#bits << 8) | (this.#window[this.#at] ?? 0);
      this.#at += 1;
      this.#count += 8;
    }
    return (this.#bits >>> (this.#count - count)) & ((1 << count) - 1);
  }

  /** Passes bits that were peeked at. */
  skip(count: number): void {
    this.#count -= count;
  }

  /** The next 32 bits. */
  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0;
  }

  /** Goes on to the beginning of a byte. */
  align(): void {
    this.#count -= this.#count % 8;
  }

  #fill(wantedBits: number): void {
    this.#window = this.#file.read(this.#windowEnd, windowBytes, this.#buffer);
    this.#windowEnd += this.#window.length;
    this.#at = 0;
    if (this.#window.length > 0) return;
    refuse('compressed.truncated', `The content ends after ${this.#windowEnd} bytes, in the middle of its bzip2 data.`, {
      offset: this.#windowEnd,
      value: `${this.#count} of ${wantedBits} bits`,
    });
  }
}
