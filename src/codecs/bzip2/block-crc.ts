const polynomial = 0x04c1_1db7;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ polynomial : value << 1;
  return value;
});

/** What the sum of a block begins with. */
export const blockCrcStart = 0xffff_ffff;

/** Takes bytes into the CRC-32 of a block, whose bits run the other way round than zlib's. The end is complemented by the caller. */
export function blockCrc(crc: number, bytes: Uint8Array): number {
  let sum = crc;
  for (let index = 0; index < bytes.length; index += 1) sum = (sum << 8) ^ (table[(sum >>> 24) ^ (bytes[index] ?? 0)] ?? 0);
  return sum >>> 0;
}
