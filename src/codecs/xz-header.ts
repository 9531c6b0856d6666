import type { ByteReader } from '../formats/reading/byte-reader.ts';

/** The stream header takes 12 bytes; the header of the first block follows. */
const blockOffset = 12;
const longestBlockHeaderBytes = 1024;
const lzma2 = 0x21;

/**
 * The dictionary that the first block asks for (the .xz file format 1.2, 3.1 and 5.3.1), so that a refusal can name it;
 * undefined where the header is of another shape. No proof: the decoder judges every block itself.
 */
export function xzDictionaryBytes(file: ByteReader): number | undefined {
  const header = file.read(blockOffset, longestBlockHeaderBytes);
  const flags = header[1] ?? 0;
  let at = 2;
  for (const flag of [0x40, 0x80]) {
    if (!(flags & flag)) continue;
    while ((header[at] ?? 0) & 0x80) at += 1;
    at += 1;
  }
  // A filter's id, the size of its properties, and of LZMA2 one byte: two bits of mantissa over an exponent.
  if ((flags & 3) !== 0 || header[at] !== lzma2 || header[at + 1] !== 1) return undefined;
  const bits = header[at + 2] ?? 0;
  if (bits > 40) return undefined;
  return bits === 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11);
}
