import type { ByteReader } from './byte-reader.ts';
import { crc32c } from './crc32c.ts';
import { Fields } from './fields.ts';
import { refuse } from './refuse.ts';
import { hasAt } from './signature.ts';

const headerOffsets = [64 * 1024, 128 * 1024] as const;
const headerLength = 4096;
const guidLength = 16;

interface VhdxHeader {
  readonly bytes: Uint8Array;
  readonly sequence: bigint;
  readonly version: number;
  readonly hasLog: boolean;
}

/**
 * Judges the two headers ([MS-VHDX] 2.2.2): of those with a right checksum the one with the higher sequence number is
 * active, and its log must be empty, since nobody but a writer can replay it.
 */
export function checkVhdxHeaders(read: ByteReader['read']): void {
  const [first, second] = headerOffsets.map((offset) => readHeader(read(offset, headerLength), offset));
  if (first && second && first.sequence === second.sequence && Buffer.compare(first.bytes, second.bytes) !== 0) {
    refuse('vhdx.header', 'The two headers have the same sequence number and different content.');
  }
  const active = first && second && second.sequence > first.sequence ? second : (first ?? second);
  if (!active) return refuse('vhdx.header', 'Neither of the two headers has a right checksum.');
  if (active.version !== 1) refuse('vhdx.header', `The VHDX version is ${active.version}.`, { value: active.version.toString() });
  if (active.hasLog) refuse('vhdx.log', 'The image was not closed cleanly: its log has entries that must be replayed.');
}

function readHeader(bytes: Uint8Array, offset: number): VhdxHeader | undefined {
  const fields = new Fields(bytes, 'VHDX header', offset);
  const whole = fields.slice(0, headerLength);
  if (!hasAt(whole, 0, 'head') || crc32c(whole, 4) !== fields.u32le(4)) return undefined;
  return {
    bytes: whole,
    sequence: fields.u64le(8),
    version: fields.u16le(66),
    hasLog: fields.slice(48, guidLength).some((byte) => byte !== 0),
  };
}
