import type { ByteReader } from '../reading/byte-reader.ts';
import type { Extent } from '../guest/extent.ts';
import type { FileSpace } from '../guest/file-space.ts';
import { joinedExtent } from '../guest/joined-extent.ts';
import { refuse } from '../refuse.ts';
import type { VmdkLayout } from './vmdk-layout.ts';
import { compressedGrainLimit, grainMarkerBytes, readGrainMarker } from './vmdk-markers.ts';
import { claimSectors } from './vmdk-space.ts';
import type { VmdkEntry } from './vmdk-space.ts';
import type { GrainTable } from './vmdk-tables.ts';

const sectorBytes = 512;
const zeroGrain = 1;

/** The extents of one grain table, whose entries stand for `count` grains from `first` on. */
export function* walkGrains(
  file: ByteReader,
  layout: VmdkLayout,
  table: GrainTable,
  first: number,
  count: number,
  space: FileSpace | undefined,
): Generator<Extent, void, undefined> {
  let pending: Extent | undefined;
  for (let slot = 0; slot < count; slot += 1) {
    const grain = first + slot;
    const entry = { offset: table.offset + slot * 4, value: table.fields.u32le(slot * 4) };
    const extent = extentOf(file, layout, grain, entry, space);
    const joined = joinedExtent(pending, extent);
    if (pending && !joined) yield pending;
    pending = joined ?? extent;
  }
  if (pending) yield pending;
}

function extentOf(file: ByteReader, layout: VmdkLayout, grain: number, entry: VmdkEntry, space: FileSpace | undefined): Extent {
  const lengthBytes = grain === layout.grains - 1 ? layout.lastGrainBytes : layout.grainBytes;
  if (entry.value === 0 || (entry.value === zeroGrain && layout.hasZeroGrains)) return { kind: 'zero', lengthBytes };
  const offset = entry.value * sectorBytes;
  // qemu would read zeros behind the end of the file, others fail. What the guest does not see may be missing.
  if (offset + (layout.isCompressed ? grainMarkerBytes + 1 : lengthBytes) > file.sizeBytes) {
    refuse('vmdk.grain_entry', `The grain at ${offset} is not inside the file.`, { ...entry });
  }
  if (layout.isCompressed) return compressedGrain(file, layout, grain, offset, lengthBytes, entry, space);
  claimSectors(space, offset, lengthBytes, entry);
  return { kind: 'stored', lengthBytes, offset };
}

function compressedGrain(
  file: ByteReader,
  { grainBytes }: VmdkLayout,
  grain: number,
  start: number,
  lengthBytes: number,
  entry: VmdkEntry,
  space: FileSpace | undefined,
): Extent {
  const offset = start + grainMarkerBytes;
  const mostBytes = Math.min(compressedGrainLimit(grainBytes), file.sizeBytes - offset);
  // Markers cost a read each, so a pass reads those only of which it remembers something; every grain is in one of them.
  const isRemembered = space === undefined || space.holds(start) || space.holds(offset + mostBytes - 1);
  if (!isRemembered) return { kind: 'compressed', lengthBytes, offset, storedBytes: mostBytes, codec: 'zlib' };
  const storedBytes = readGrainMarker(file, start, grain * (grainBytes / sectorBytes), grainBytes);
  claimSectors(space, start, grainMarkerBytes + storedBytes, entry);
  return { kind: 'compressed', lengthBytes, offset, storedBytes, codec: 'zlib' };
}
