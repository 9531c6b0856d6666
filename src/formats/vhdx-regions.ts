import type { ByteReader } from './byte-reader.ts';
import { isInside } from './bounds.ts';
import { crc32c } from './crc32c.ts';
import { Fields } from './fields.ts';
import { guidText } from './guid-text.ts';
import { refuse } from './refuse.ts';
import { hasAt } from './signature.ts';

const tableOffsets = [192 * 1024, 256 * 1024] as const;
const tableLength = 64 * 1024;
const entryLimit = 2047;
const alignmentBytes = 1024n * 1024n;

const blockTableId = '2dc27766-f623-4200-9d64-115e9bfd4a08';
const metadataId = '8b7ca206-4790-4b9a-b8fe-575f050f886e';

/** A part of the file. */
export interface VhdxRegion {
  readonly offset: bigint;
  readonly lengthBytes: number;
}

/** The two regions that every VHDX has. */
export interface VhdxRegions {
  readonly blockTable: VhdxRegion;
  readonly metadata: VhdxRegion;
}

/**
 * Reads the region table ([MS-VHDX] 2.2.3), of which there are two copies: one may be damaged, but two sound ones must
 * agree. `sizeBytes` is undefined while the file still streams.
 */
export function readVhdxRegions(read: ByteReader['read'], sizeBytes: number | undefined): VhdxRegions {
  const sound = tableOffsets.map((offset) => soundTable(read(offset, tableLength), offset)).filter((table) => table !== undefined);
  const [table, other] = sound;
  if (!table) return refuse('vhdx.region_table', 'Neither of the two region tables has a right checksum.');
  if (other && Buffer.compare(table, other) !== 0) refuse('vhdx.region_table', 'The two region tables contradict each other.');
  const regions = readEntries(new Fields(table, 'VHDX region table'));
  const ordered = [...regions.values()].sort((left, right) => (left.offset < right.offset ? -1 : 1));
  let end = alignmentBytes;
  for (const { offset, lengthBytes } of ordered) {
    const isAligned = offset % alignmentBytes === 0n && BigInt(lengthBytes) % alignmentBytes === 0n && lengthBytes > 0;
    if (!isAligned || offset < end || (sizeBytes !== undefined && !isInside(offset, BigInt(lengthBytes), sizeBytes))) {
      refuse('vhdx.region_table', `The region at ${offset} is not aligned, overlaps another or is not inside the file.`, { offset: offset.toString() });
    }
    end = offset + BigInt(lengthBytes);
  }
  const blockTable = regions.get(blockTableId);
  const metadata = regions.get(metadataId);
  if (!blockTable || !metadata) return refuse('vhdx.region_table', 'The region table names no block table or no metadata.');
  return { blockTable, metadata };
}

function soundTable(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  const fields = new Fields(bytes, 'VHDX region table', offset);
  const table = fields.slice(0, tableLength);
  return hasAt(table, 0, 'regi') && crc32c(table, 4) === fields.u32le(4) ? table : undefined;
}

function readEntries(table: Fields): Map<string, VhdxRegion> {
  const count = table.u32le(8);
  if (count > entryLimit) refuse('vhdx.region_table', `The region table claims ${count} entries.`, { value: count.toString() });
  const regions = new Map<string, VhdxRegion>();
  for (let index = 0; index < count; index += 1) {
    const at = 16 + index * 32;
    const id = guidText(table.slice(at, 16));
    const isKnown = id === blockTableId || id === metadataId;
    if (!isKnown && (table.u32le(at + 28) & 1) !== 0) {
      refuse('vhdx.required_unknown', `The image requires a region that is not known here (${id}).`, { value: id });
    }
    if (regions.has(id)) refuse('vhdx.region_table', 'The region table names a region twice.', { value: id });
    regions.set(id, { offset: table.u64le(at + 16), lengthBytes: table.u32le(at + 24) });
  }
  return regions;
}
