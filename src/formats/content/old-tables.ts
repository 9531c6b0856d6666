import { Fields } from '../reading/fields.ts';
import { hasAt } from '../reading/signature.ts';

const sectorBytes = 512;

/** Partitions that the head of a disk names: how many, and where those begin that are remembered, in bytes. */
export interface FoundPartitions {
  readonly partitions: number;
  readonly starts: readonly number[];
}

/** Reads an Apple partition map (Inside Macintosh: Devices, "The Partition Map"): an entry in each block from the second on. */
export function readApplePartitionMap(head: Uint8Array, startsLimit: number): FoundPartitions {
  const stated = new Fields(head.subarray(0, sectorBytes), 'Apple driver descriptor').u16be(2);
  const blockBytes = [512, 1024, 2048, 4096].includes(stated) && hasAt(head, stated, 'PM') ? stated : sectorBytes;
  const starts: number[] = [];
  for (let at = blockBytes; starts.length < startsLimit && at + sectorBytes <= head.length && hasAt(head, at, 'PM'); at += blockBytes) {
    starts.push(new Fields(head, 'Apple partition map').u32be(at + 8) * blockBytes);
  }
  return { partitions: starts.length, starts };
}

/** Reads a BSD disklabel in the second sector (FreeBSD sys/disklabel.h): entries of 16 bytes, unused ones of size or type 0. */
export function readDisklabel(head: Uint8Array, startsLimit: number): FoundPartitions {
  const label = head.subarray(sectorBytes, 2 * sectorBytes);
  if (label.length < sectorBytes) return { partitions: 0, starts: [] };
  const fields = new Fields(label, 'BSD disklabel', sectorBytes);
  const count = Math.min(fields.u16le(138), Math.floor((sectorBytes - 148) / 16), startsLimit);
  const starts: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = 148 + index * 16;
    if (fields.u32le(at) !== 0 && fields.u8(at + 12) !== 0) starts.push(fields.u32le(at + 4) * sectorBytes);
  }
  return { partitions: starts.length, starts };
}
