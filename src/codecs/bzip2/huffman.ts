import type { BitReader } from './bit-reader.ts';

/** The longest code of bzip2. */
export const longestCodeBits = 20;
const quickBits = 10;

/** A canonical Huffman code: shorter codes first, among equals the lower symbol. */
export class HuffmanCode {
  /** For each beginning of `quickBits`: the symbol and, in the lowest 5 bits, its length; 0 where the code is longer or none. */
  readonly #quick = new Uint16Array(1 << quickBits);
  /** The symbols in order of their codes. */
  readonly #symbols: Uint16Array;
  /** By length: the first code beyond those of that length, and what to subtract to come to the place in `#symbols`. */
  readonly #limit = new Int32Array(longestCodeBits + 1);
  readonly #base = new Int32Array(longestCodeBits + 1);

  private constructor(lengths: Uint8Array) {
    this.#symbols = Uint16Array.from([...lengths.keys()].sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b));
    let code = 0;
    let place = 0;
    for (let length = 1; length <= longestCodeBits; length += 1) {
      code <<= 1;
      this.#base[length] = code - place;
      for (; place < lengths.length && lengths[this.#symbols[place] ?? 0] === length; place += 1) {
        if (length <= quickBits) {
          const first = code << (quickBits - length);
          this.#quick.fill(((this.#symbols[place] ?? 0) << 5) | length, first, first + (1 << (quickBits - length)));
        }
        code += 1;
      }
      this.#limit[length] = code;
    }
  }

  /** The code with these lengths, each 1 to 20, one a symbol; undefined where there are more codes than fit. */
  static of(lengths: Uint8Array): HuffmanCode | undefined {
    const room = lengths.reduce((sum, length) => sum - 2 ** (longestCodeBits - length), 2 ** longestCodeBits);
    return room < 0 ? undefined : new HuffmanCode(lengths);
  }

  /** The next symbol; -1 for bits that are no code. */
  read(bits: BitReader): number {
    const entry = this.#quick[bits.peek(quickBits)] ?? 0;
    if (entry !== 0) {
      bits.skip(entry & 31);
      return entry >>> 5;
    }
    for (let length = quickBits + 1; length <= longestCodeBits; length += 1) {
      const code = bits.peek(length);
      if (code >= (this.#limit[length] ?? 0)) continue;
      bits.skip(length);
      return this.#symbols[code - (this.#base[length] ?? 0)] ?? -1;
    }
    return -1;
  }
}
