import type { TransformedBlock } from './read-block.ts';

/** After so many equal bytes the next one says how often the byte is repeated. */
const runStart = 4;

/**
 * The bytes of a block, in pieces that fill `target`, each valid until the next is asked for: undoes the Burrows-Wheeler
 * transform within `table` and the run lengths behind it. A block of 900 kB can stand for 46 MB.
 */
export function* blockBytes(
  table: Uint32Array,
  { sizeBytes, origin }: TransformedBlock,
  target: Uint8Array,
): Generator<Uint8Array, void, undefined> {
  linkRows(table, sizeBytes);
  let row = (table[origin] ?? 0) >>> 8;
  let previous = -1;
  let equal = 0;
  let filled = 0;
  for (let left = sizeBytes; left > 0; left -= 1) {
    const entry = table[row] ?? 0;
    const byte = entry & 0xff;
    row = entry >>> 8;
    if (equal === runStart) {
      for (let rest = byte; rest > 0; ) {
        const count = Math.min(rest, target.length - filled);
        target.fill(previous, filled, filled + count);
        filled += count;
        rest -= count;
        if (filled < target.length) continue;
        yield target;
        filled = 0;
      }
      equal = 0;
      previous = -1;
      continue;
    }
    equal = byte === previous ? equal + 1 : 1;
    previous = byte;
    target[filled] = byte;
    filled += 1;
    if (filled < target.length) continue;
    yield target;
    filled = 0;
  }
  if (filled > 0) yield target.subarray(0, filled);
}

/** Puts into the high 24 bits of each entry which entry follows it. */
function linkRows(table: Uint32Array, sizeBytes: number): void {
  const next = new Uint32Array(256);
  for (let index = 0; index < sizeBytes; index += 1) {
    const byte = (table[index] ?? 0) & 0xff;
    next[byte] = (next[byte] ?? 0) + 1;
  }
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const count = next[byte] ?? 0;
    next[byte] = sum;
    sum += count;
  }
  for (let index = 0; index < sizeBytes; index += 1) {
    const byte = (table[index] ?? 0) & 0xff;
    const place = next[byte] ?? 0;
    next[byte] = place + 1;
    table[place] = ((table[place] ?? 0) | (index << 8)) >>> 0;
  }
}
