import type { ByteReader } from './byte-reader.ts';
import { Fields } from './fields.ts';
import { guidText } from './guid-text.ts';
import { refuse } from './refuse.ts';
import { hasAt } from './signature.ts';
import type { VhdxRegion } from './vhdx-regions.ts';

const tableLength = 64 * 1024;
const entryLimit = 1023;

const items = {
  fileParameters: 'caa16737-fa36-4d43-b3b6-33f0aa44e76b',
  virtualDiskSize: '2fa54224-cd1b-4876-b211-5dbed83bf4b8',
  virtualDiskId: 'beca12ab-b2e6-4523-93ef-c309e000c746',
  logicalSectorSize: '8141bf1d-a96f-4709-ba47-f233a8faab5f',
  physicalSectorSize: 'cda348c7-445d-4471-9cc9-e9885251c556',
  parentLocator: 'a8d35f2d-b30b-454d-abf7-d3d84834ab0c',
} as const;

/** What the metadata says of the disk. */
export interface VhdxMetadata {
  readonly blockBytes: number;
  readonly hasParent: boolean;
  readonly virtualSizeBytes: bigint;
  readonly sectorBytes: number;
}

/** Reads the metadata table and the items that matter ([MS-VHDX] 2.6); the region is known to lie inside the file. */
export function readVhdxMetadata(file: ByteReader, region: VhdxRegion): VhdxMetadata {
  const start = Number(region.offset);
  const table = file.read(start, tableLength);
  if (!hasAt(table, 0, 'metadata')) refuse('vhdx.metadata', 'The metadata region does not hold a metadata table.', { offset: start.toString() });
  const places = readEntries(new Fields(table, 'VHDX metadata table', start), region);
  const item = (id: string, name: string, lengthBytes: number): Fields => {
    const place = places.get(id);
    if (place === undefined || place.lengthBytes < lengthBytes) return refuse('vhdx.metadata', `The metadata has no ${name}.`);
    return new Fields(file.read(start + place.offset, lengthBytes), `VHDX ${name}`, start + place.offset);
  };
  const parameters = item(items.fileParameters, 'file parameters', 8);
  return {
    blockBytes: parameters.u32le(0),
    hasParent: (parameters.u32le(4) & 2) !== 0 || places.has(items.parentLocator),
    virtualSizeBytes: item(items.virtualDiskSize, 'virtual disk size', 8).u64le(0),
    sectorBytes: item(items.logicalSectorSize, 'logical sector size', 4).u32le(0),
  };
}

function readEntries(table: Fields, region: VhdxRegion): Map<string, { offset: number; lengthBytes: number }> {
  const count = table.u16le(10);
  if (count > entryLimit) refuse('vhdx.metadata', `The metadata table claims ${count} entries.`, { value: count.toString() });
  const places = new Map<string, { offset: number; lengthBytes: number }>();
  const known: readonly string[] = Object.values(items);
  for (let index = 0; index < count; index += 1) {
    const at = 32 + index * 32;
    const id = guidText(table.slice(at, 16));
    const place = { offset: table.u32le(at + 16), lengthBytes: table.u32le(at + 20) };
    const flags = table.u32le(at + 24);
    const isUser = (flags & 1) !== 0;
    const isRequired = (flags & 4) !== 0;
    if (isRequired && (isUser || !known.includes(id))) {
      refuse('vhdx.required_unknown', `The image requires metadata that is not known here (${id}).`, { value: id });
    }
    if (place.lengthBytes > 0 && (place.offset < tableLength || place.offset + place.lengthBytes > region.lengthBytes)) {
      refuse('vhdx.metadata', 'A metadata item is not inside the metadata region.', { value: id });
    }
    if (isUser) continue;
    if (places.has(id)) refuse('vhdx.metadata', 'The metadata names an item twice.', { value: id });
    places.set(id, place);
  }
  return places;
}
