/** The reversed Castagnoli polynomial (RFC 3720, section 12.1), which VHDX uses and node:zlib's crc32 does not. */
const polynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
  return value;
});

/** CRC-32C of the bytes, taking the four at `zeroedAt` for zeros: structures that carry their own checksum count so. */
export function crc32c(bytes: Uint8Array, zeroedAt = -4): number {
  let value = 0xffffffff;
  // A counted loop: it runs over 64 KiB tables, and a callback for each byte costs several times as much.
  for (let index = 0; index < bytes.length; index += 1) {
    const counted = index >= zeroedAt && index < zeroedAt + 4 ? 0 : (bytes[index] ?? 0);
    value = (value >>> 8) ^ (table[(value ^ counted) & 0xff] ?? 0);
  }
  return (value ^ 0xffffffff) >>> 0;
}
