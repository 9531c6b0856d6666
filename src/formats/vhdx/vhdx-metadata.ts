import type { ByteReader } from '../reading/byte-reader.ts';
import { Fields } from '../reading/fields.ts';
import { guidText } from '../reading/guid-text.ts';
import { refuse } from '../refuse.ts';
import { hasAt } from '../reading/signature.ts';
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

/** A number of the metadata, and where in the file it is. */
interface Item<T> {
  readonly value: T;
  readonly offset: number;
}

/** What the metadata says of the disk. `parentOffset`: where it says that the disk has a parent, if it does. */
export interface VhdxMetadata {
  readonly blockBytes: Item<number>;
  readonly parentOffset: number | undefined;
  readonly virtualSizeBytes: Item<bigint>;
  readonly sectorBytes: Item<number>;
}

interface Place {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly entryOffset: number;
}

/**
 * Reads the metadata table and the items that matter ([MS-VHDX] 2.6); the region is known to lie inside the file. All five
 * items that the specification requires must be there, as qemu demands too.
 */
export function readVhdxMetadata(file: ByteReader, region: VhdxRegion): VhdxMetadata {
  const start = Number(region.offset);
  const table = file.read(start, tableLength);
  if (!hasAt(table, 0, 'metadata')) {
    refuse('vhdx.metadata', 'The metadata region does not hold a metadata table.', { offset: start, value: Buffer.from(table.subarray(0, 8)).toString('hex') });
  }
  const places = readEntries(new Fields(table, 'VHDX metadata table', start), region);
  const item = (id: string, name: string, lengthBytes: number): Item<Fields> => {
    const place = places.get(id);
    if (place === undefined) return refuse('vhdx.metadata', `The metadata has no ${name}.`, { offset: start + 10, value: places.size });
    if (place.lengthBytes < lengthBytes) {
      return refuse('vhdx.metadata', `The ${name} has ${place.lengthBytes} bytes.`, { offset: place.entryOffset + 20, value: place.lengthBytes });
    }
    const offset = start + place.offset;
    return { value: new Fields(file.read(offset, lengthBytes), `VHDX ${name}`, offset), offset };
  };
  // A parent is the graver fault, and told first.
  if (!places.has(items.parentLocator)) {
    item(items.virtualDiskId, 'virtual disk ID', 16);
    item(items.physicalSectorSize, 'physical sector size', 4);
  }
  const parameters = item(items.fileParameters, 'file parameters', 8);
  const size = item(items.virtualDiskSize, 'virtual disk size', 8);
  const sector = item(items.logicalSectorSize, 'logical sector size', 4);
  const flags = parameters.value.u32le(4);
  if (flags > 3) refuse('vhdx.metadata', 'The file parameters have flags that are not known.', { offset: parameters.offset + 4, value: flags });
  return {
    blockBytes: { value: parameters.value.u32le(0), offset: parameters.offset },
    parentOffset: (flags & 2) !== 0 ? parameters.offset + 4 : places.get(items.parentLocator)?.entryOffset,
    virtualSizeBytes: { value: size.value.u64le(0), offset: size.offset },
    sectorBytes: { value: sector.value.u32le(0), offset: sector.offset },
  };
}

function readEntries(table: Fields, region: VhdxRegion): Map<string, Place> {
  const start = Number(region.offset);
  const count = table.u16le(10);
  if (count > entryLimit) refuse('vhdx.metadata', `The metadata table claims ${count} entries.`, { offset: start + 10, value: count });
  const places = new Map<string, Place>();
  const known: readonly string[] = Object.values(items);
  for (let index = 0; index < count; index += 1) {
    const at = 32 + index * 32;
    const entryOffset = start + at;
    const id = guidText(table.slice(at, 16));
    const place = { offset: table.u32le(at + 16), lengthBytes: table.u32le(at + 20), entryOffset };
    const flags = table.u32le(at + 24);
    const isUser = (flags & 1) !== 0;
    const isRequired = (flags & 4) !== 0;
    if (isRequired && (isUser || !known.includes(id))) {
      refuse('vhdx.required_unknown', `The image requires metadata that is not known here (${id}).`, { offset: entryOffset, value: id });
    }
    if (place.lengthBytes > 0 && (place.offset < tableLength || place.offset + place.lengthBytes > region.lengthBytes)) {
      refuse('vhdx.metadata', 'A metadata item is not inside the metadata region.', { offset: entryOffset + 16, value: place.offset });
    }
    if (isUser) continue;
    if (places.has(id)) refuse('vhdx.metadata', 'The metadata names an item twice.', { offset: entryOffset, value: id });
    places.set(id, place);
  }
  return places;
}
