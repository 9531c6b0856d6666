import { isInside } from './bounds.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ExtentRun } from './extent-run.ts';
import type { Extent } from './extent.ts';
import type { FileSpace } from './file-space.ts';
import { refuse } from './refuse.ts';
import type { RefusalDetails } from './refuse.ts';
import type { VmdkLayout } from './vmdk-layout.ts';
import { compressedGrainLimit, grainMarkerBytes, readGrainMarker } from './vmdk-markers.ts';
import { claimSectors } from './vmdk-space.ts';
import type { GrainTable } from './vmdk-tables.ts';

const sectorBytes = 512;
const zeroGrain = 1;

/** The extents of one grain table, whose entries stand for `count` grains from `first` on; nothing is left in `run`. */
export function* walkGrains(
  file: ByteReader,
  layout: VmdkLayout,
  table: GrainTable,
  first: number,
  count: number,
  run: ExtentRun,
  space: FileSpace | undefined,
): Generator<Extent, void, undefined> {
  const markerBuffer = new Uint8Array(grainMarkerBytes);
  for (let slot = 0; slot < count; slot += 1) {
    const entry = table.fields.u32le(slot * 4);
    const grain = first + slot;
    const lengthBytes = grain === layout.grains - 1 ? layout.lastGrainBytes : layout.grainBytes;
    const offset = entry * sectorBytes;
    const isZero = entry === 0 || (layout.hasZeroGrains && entry === zeroGrain);
    if (!isZero) {
      // The guest's part must be there; qemu would read zeros behind the end of the file, others fail.
      const storedBytes = layout.isCompressed ? grainMarkerBytes + 1 : lengthBytes;
      const seen = { offset: table.offset + slot * 4, value: entry };
      if (!isInside(BigInt(offset), BigInt(storedBytes), file.sizeBytes)) refuse('vmdk.grain_entry', `The grain at ${offset} is not inside the file.`, seen);
      if (!layout.isCompressed) claimSectors(space, offset, storedBytes, seen);
      else {
        const before = run.end();
        if (before !== undefined) yield before;
        yield compressedGrain(file, layout, grain, offset, lengthBytes, space, seen, markerBuffer);
        continue;
      }
    }
    const before = isZero ? run.add(lengthBytes) : run.add(lengthBytes, offset);
    if (before !== undefined) yield before;
  }
  const last = run.end();
  if (last !== undefined) yield last;
}

function compressedGrain(
  file: ByteReader,
  layout: VmdkLayout,
  grain: number,
  start: number,
  lengthBytes: number,
  space: FileSpace | undefined,
  seen: RefusalDetails,
  markerBuffer: Uint8Array,
): Extent {
  const { grainBytes } = layout;
  const offset = start + grainMarkerBytes;
  const mostBytes = Math.min(compressedGrainLimit(grainBytes), file.sizeBytes - offset);
  // A pass that keeps account of another part of the file need not read the marker: some pass does.
  if (space?.covers(start, grainMarkerBytes + mostBytes) === false) return { kind: 'compressed', lengthBytes, offset, storedBytes: mostBytes, codec: 'zlib' };
  const storedBytes = readGrainMarker(file, start, grain * (grainBytes / sectorBytes), grainBytes, markerBuffer);
  claimSectors(space, start, grainMarkerBytes + storedBytes, seen);
  return { kind: 'compressed', lengthBytes, offset, storedBytes, codec: 'zlib' };
}
