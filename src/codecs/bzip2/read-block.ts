import { refuse } from '../../formats/refuse.ts';
import type { BitReader } from './bit-reader.ts';
import { HuffmanCode, longestCodeBits } from './huffman.ts';

/** So many symbols are coded by one code before the next selector says by which the following are. */
const groupSymbols = 50;
const runA = 0;
const runB = 1;

/** A block as it stood before the Burrows-Wheeler transform was undone. */
export interface TransformedBlock {
  readonly sizeBytes: number;
  /** The row of the transform that is the block itself. */
  readonly origin: number;
}

/**
 * Reads a block up to its transformed bytes, which it leaves in the low 8 bits of `table`, one an entry, the rest zero; more
 * than `table` holds is refused. (Julian Seward, bzip2 1.0.8, decompress.c.)
 */
export function readBlock(bits: BitReader, table: Uint32Array): TransformedBlock {
  if (bits.read(1) === 1) {
    refuse('compressed.unsupported', `The bzip2 block at ${bits.offset} is randomised, as versions before 0.9.5 wrote it.`, { offset: bits.offset, value: 1 });
  }
  const origin = bits.read(24);
  const used = readUsedBytes(bits);
  const codeCount = bits.read(3);
  if (codeCount < 2 || codeCount > 6) corrupt(bits, 'number of codes', codeCount);
  const selectors = readSelectors(bits, codeCount);
  const codes = Array.from({ length: codeCount }, () => readCode(bits, used.length + 2));
  const sizeBytes = readSymbols(bits, table, used, (group) => codes[selectors[group] ?? codeCount]);
  if (origin >= sizeBytes) corrupt(bits, 'origin', origin);
  return { sizeBytes, origin };
}

/** Refuses the content because of what stands before the reader's place. */
export function corrupt(bits: BitReader, what: string, value: number): never {
  const { offset } = bits;
  return refuse('compressed.corrupt', `The bzip2 data before ${offset} are damaged: ${what} ${value}.`, { offset, value });
}

/** The byte values that occur, as a map of 16 ranges and a map of each range that is not empty. */
function readUsedBytes(bits: BitReader): Uint8Array {
  const ranges = bits.read(16);
  const used: number[] = [];
  for (let range = 0; range < 16; range += 1) {
    if (!(ranges & (0x8000 >>> range))) continue;
    const map = bits.read(16);
    for (let index = 0; index < 16; index += 1) {
      if (map & (0x8000 >>> index)) used.push(range * 16 + index);
    }
  }
  if (used.length === 0) corrupt(bits, 'bytes in use', 0);
  return Uint8Array.from(used);
}

function readSelectors(bits: BitReader, codeCount: number): Uint8Array {
  const count = bits.read(15);
  if (count === 0) corrupt(bits, 'number of selectors', count);
  const recent = Uint8Array.from({ length: codeCount }, (_, index) => index);
  return Uint8Array.from({ length: count }, () => {
    let place = 0;
    while (bits.read(1) === 1) {
      place += 1;
      if (place >= codeCount) corrupt(bits, 'selector', place);
    }
    return moveToFront(recent, place);
  });
}

function readCode(bits: BitReader, symbolCount: number): HuffmanCode {
  let length = bits.read(5);
  const lengths = Uint8Array.from({ length: symbolCount }, () => {
    for (;;) {
      if (length < 1 || length > longestCodeBits) corrupt(bits, 'code length', length);
      if (bits.read(1) === 0) return length;
      length += bits.read(1) === 0 ? 1 : -1;
    }
  });
  return HuffmanCode.of(lengths) ?? corrupt(bits, 'number of codes of the first length', lengths[0] ?? 0);
}

function readSymbols(bits: BitReader, table: Uint32Array, used: Uint8Array, codeOf: (group: number) => HuffmanCode | undefined): number {
  const recent = Uint8Array.from(used);
  const endOfBlock = used.length + 1;
  let size = 0;
  let runUnit = 1;
  let run = 0;
  for (let group = 0; ; group += 1) {
    const code = codeOf(group) ?? corrupt(bits, 'number of groups', group);
    for (let index = 0; index < groupSymbols; index += 1) {
      const symbol = code.read(bits);
      if (symbol === runA || symbol === runB) {
        // A run is longer than the block long before its length could overflow.
        run += runUnit << symbol;
        runUnit <<= 1;
        if (size + run > table.length) corrupt(bits, 'length of a run', run);
        continue;
      }
      if (run > 0) {
        table.fill(recent[0] ?? 0, size, size + run);
        size += run;
        run = 0;
        runUnit = 1;
      }
      if (symbol === endOfBlock) return size;
      if (symbol < 0 || size >= table.length) corrupt(bits, 'symbol', symbol);
      table[size] = moveToFront(recent, symbol - 1);
      size += 1;
    }
  }
}

function moveToFront(recent: Uint8Array, place: number): number {
  const value = recent[place] ?? 0;
  for (let index = place; index > 0; index -= 1) recent[index] = recent[index - 1] ?? 0;
  recent[0] = value;
  return value;
}
