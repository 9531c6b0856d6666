import { crc32 } from 'node:zlib';

import { Fields } from '../reading/fields.ts';
import { hasAt } from '../reading/signature.ts';

const smallestHeaderBytes = 92;
const smallestEntryBytes = 128;
const largestEntryBytes = 4096;

/** What the head of a disk tells of its GUID partition table. */
export type Gpt =
  /** The header's or the entries' checksum is wrong, or the fields are impossible. */
  | { readonly kind: 'damaged' }
  /** `partitions` is undefined where the entries are not in the head; `starts` are bytes. */
  | { readonly kind: 'sound'; readonly starts: readonly number[]; readonly partitions: number | undefined };

/** Reads the primary table (UEFI specification 2.10, 5.3) of disks with sectors of 512 or 4096 bytes; undefined where there is none. */
export function readGpt(head: Uint8Array, startsLimit: number): Gpt | undefined {
  const sectorBytes = [512, 4096].find((bytes) => hasAt(head, bytes, 'EFI PART'));
  if (sectorBytes === undefined) return undefined;
  const header = head.subarray(sectorBytes, sectorBytes + 512);
  if (header.length < 512) return { kind: 'damaged' };
  const fields = new Fields(header, 'GPT header', sectorBytes);
  const headerBytes = fields.u32le(12);
  if (headerBytes < smallestHeaderBytes || headerBytes > header.length) return { kind: 'damaged' };
  const summed = Uint8Array.from(header.subarray(0, headerBytes)).fill(0, 16, 20);
  const entryBytes = fields.u32le(84);
  const isPossible = entryBytes >= smallestEntryBytes && entryBytes <= largestEntryBytes && entryBytes % smallestEntryBytes === 0;
  if (crc32(summed) !== fields.u32le(16) || fields.u64le(24) !== 1n || !isPossible) return { kind: 'damaged' };
  const offset = fields.u64le(72) * BigInt(sectorBytes);
  const lengthBytes = fields.u32le(80) * entryBytes;
  if (offset + BigInt(lengthBytes) > BigInt(head.length)) return { kind: 'sound', starts: [], partitions: undefined };
  const entries = head.subarray(Number(offset), Number(offset) + lengthBytes);
  if (crc32(entries) !== fields.u32le(88)) return { kind: 'damaged' };
  return { kind: 'sound', ...readEntries(entries, entryBytes, sectorBytes, startsLimit) };
}

function readEntries(
  entries: Uint8Array,
  entryBytes: number,
  sectorBytes: number,
  startsLimit: number,
): { readonly starts: readonly number[]; readonly partitions: number } {
  const starts: number[] = [];
  let partitions = 0;
  for (let at = 0; at < entries.length; at += entryBytes) {
    const entry = entries.subarray(at, at + entryBytes);
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue;
    partitions += 1;
    const start = new Fields(entry, 'GPT entry').u64le(32) * BigInt(sectorBytes);
    if (starts.length < startsLimit && start <= BigInt(Number.MAX_SAFE_INTEGER)) starts.push(Number(start));
  }
  return { starts, partitions };
}
