import type { ByteReader } from '../reading/byte-reader.ts';
import { refuse } from '../refuse.ts';

const sectorBytes = 512;
const readBytes = 64 * 1024;
const zeros = new Uint8Array(readBytes);

/**
 * Proves for a part of a block that all readers see the same: a sector whose bit is 0 was never written and reads as
 * zeros by the specification ("Data Blocks"), while qemu shows what is stored in it (block/vpc.c). So nothing may be.
 * The first sector is the highest bit of the first byte. `part` begins and, but for the disk's end, ends at a whole byte
 * of bits.
 */
export function checkVhdSectorBitmap(
  file: ByteReader,
  { bitmapOffset, dataOffset }: { readonly bitmapOffset: number; readonly dataOffset: number },
  { fromByte, lengthBytes }: { readonly fromByte: number; readonly lengthBytes: number },
): void {
  const first = fromByte / sectorBytes;
  const sectors = Math.ceil(lengthBytes / sectorBytes);
  const bits = file.read(bitmapOffset + first / 8, Math.ceil(sectors / 8));
  if (bits.every((byte) => byte === 0xff)) return;
  const isWritten = (sector: number): boolean => ((bits[sector >>> 3] ?? 0) & (0x80 >>> (sector & 7))) !== 0;
  for (let sector = 0; sector < sectors; sector += 1) {
    if (isWritten(sector)) continue;
    const start = sector;
    const limit = Math.min(sectors, start + readBytes / sectorBytes);
    while (sector + 1 < limit && !isWritten(sector + 1)) sector += 1;
    const offset = dataOffset + (first + start) * sectorBytes;
    const bytes = file.read(offset, (sector + 1 - start) * sectorBytes);
    if (Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0) continue;
    const at = bytes.findIndex((byte) => byte !== 0);
    refuse('vhd.sector_bitmap', `The sector at ${offset + at - (at % sectorBytes)} holds data, but its bit says that it was never written.`, {
      offset: offset + at,
      value: bytes[at] ?? 0,
    });
  }
}
