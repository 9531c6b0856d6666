import type { ByteReader } from '../reading/byte-reader.ts';
import { isInside } from '../reading/bounds.ts';
import { crc32c } from '../reading/crc32c.ts';
import { Fields } from '../reading/fields.ts';
import { guidText } from '../reading/guid-text.ts';
import { refuse } from '../refuse.ts';
import { hasAt } from '../reading/signature.ts';

const tableOffsets = [192 * 1024, 256 * 1024] as const;
const tableLength = 64 * 1024;
const entryLimit = 2047;
const alignmentBytes = 1024n * 1024n;

const blockTableId = '2dc27766-f623-4200-9d64-115e9bfd4a08';
const metadataId = '8b7ca206-4790-4b9a-b8fe-575f050f886e';

/** A part of the file. `statedAt`: where in the file its offset is named. */
export interface VhdxRegion {
  readonly offset: bigint;
  readonly lengthBytes: number;
  readonly statedAt: number;
}

/** The two regions that every VHDX has, and `all`: these, the log and those that a reader may ignore. */
export interface VhdxRegions {
  readonly blockTable: VhdxRegion;
  readonly metadata: VhdxRegion;
  readonly all: readonly VhdxRegion[];
}

/**
 * Reads the region table ([MS-VHDX] 2.2.3), of which there are two copies: one may be damaged, but two sound ones must
 * agree. No region may overlap another or the `log`. `sizeBytes` is undefined while the file still streams.
 */
export function readVhdxRegions(read: ByteReader['read'], log: VhdxRegion, sizeBytes: number | undefined): VhdxRegions {
  const sound = tableOffsets.map((offset) => soundTable(read(offset, tableLength), offset)).filter((table) => table !== undefined);
  const [table, other] = sound;
  if (!table) {
    const stated = new Fields(read(tableOffsets[0], tableLength), 'VHDX region table', tableOffsets[0]).u32le(4);
    return refuse('vhdx.region_table', 'Neither of the two region tables has a right checksum.', { offset: tableOffsets[0] + 4, value: stated });
  }
  if (other && Buffer.compare(table.fields.bytes, other.fields.bytes) !== 0) {
    const place = table.fields.bytes.findIndex((byte, index) => byte !== other.fields.bytes[index]);
    refuse('vhdx.region_table', 'The two region tables contradict each other.', { offset: other.offset + place, value: other.fields.u8(place) });
  }
  const regions = readEntries(table);
  const all = [...regions.values(), ...(log.lengthBytes > 0 ? [log] : [])];
  checkPlaces(all, sizeBytes);
  const blockTable = regions.get(blockTableId);
  const metadata = regions.get(metadataId);
  if (!blockTable || !metadata) {
    return refuse('vhdx.region_table', 'The region table names no block table or no metadata.', { offset: table.offset + 8, value: regions.size });
  }
  return { blockTable, metadata, all };
}

function checkPlaces(regions: readonly VhdxRegion[], sizeBytes: number | undefined): void {
  const ordered = [...regions].sort((left, right) => (left.offset < right.offset ? -1 : 1));
  // The first MiB holds the headers.
  let end = alignmentBytes;
  for (const { offset, lengthBytes, statedAt } of ordered) {
    const isAligned = offset % alignmentBytes === 0n && BigInt(lengthBytes) % alignmentBytes === 0n && lengthBytes > 0;
    if (!isAligned || offset < end || (sizeBytes !== undefined && !isInside(offset, BigInt(lengthBytes), sizeBytes))) {
      refuse('vhdx.region_table', `The region at ${offset} is not aligned, overlaps another or is not inside the file.`, { offset: statedAt, value: offset });
    }
    end = offset + BigInt(lengthBytes);
  }
}

interface RegionTable {
  readonly offset: number;
  readonly fields: Fields;
}

function soundTable(bytes: Uint8Array, offset: number): RegionTable | undefined {
  const fields = new Fields(new Fields(bytes, 'VHDX region table', offset).slice(0, tableLength), 'VHDX region table', offset);
  return hasAt(fields.bytes, 0, 'regi') && crc32c(fields.bytes, 4) === fields.u32le(4) ? { offset, fields } : undefined;
}

function readEntries({ offset, fields }: RegionTable): Map<string, VhdxRegion> {
  const count = fields.u32le(8);
  if (count > entryLimit) refuse('vhdx.region_table', `The region table claims ${count} entries.`, { offset: offset + 8, value: count });
  const regions = new Map<string, VhdxRegion>();
  for (let index = 0; index < count; index += 1) {
    const at = 16 + index * 32;
    const id = guidText(fields.slice(at, 16));
    const isKnown = id === blockTableId || id === metadataId;
    if (!isKnown && (fields.u32le(at + 28) & 1) !== 0) {
      refuse('vhdx.required_unknown', `The image requires a region that is not known here (${id}).`, { offset: offset + at, value: id });
    }
    if (regions.has(id)) refuse('vhdx.region_table', 'The region table names a region twice.', { offset: offset + at, value: id });
    regions.set(id, { offset: fields.u64le(at + 16), lengthBytes: fields.u32le(at + 24), statedAt: offset + at + 16 });
  }
  return regions;
}
