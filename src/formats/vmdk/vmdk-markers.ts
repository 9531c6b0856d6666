import type { ByteReader } from '../reading/byte-reader.ts';
import { Fields } from '../reading/fields.ts';
import type { FileSpace } from '../guest/file-space.ts';
import { refuse } from '../refuse.ts';
import { claimSectors } from './vmdk-space.ts';

const sectorBytes = 512;
/** What a grain has before its data: the guest's sector (8 bytes) and the length of the data (4). */
export const grainMarkerBytes = 12;

/** Types of the markers before metadata ("Virtual Disk Format 5.0", Stream-Optimized Compressed Sparse Extents). */
export const tableMarker = 1;
export const directoryMarker = 2;

/**
 * Judges the marker in the sector before a grain table or the directory of a stream, by which those find and skip it who
 * read from the beginning to the end.
 */
export function checkMetadataMarker(file: ByteReader, offset: number, lengthBytes: number, type: number, space?: FileSpace): void {
  const start = offset - sectorBytes;
  const sectors = Math.ceil(lengthBytes / sectorBytes);
  claimSectors(space, start, sectorBytes, { offset: start, value: start });
  const marker = new Fields(file.read(start, 16), 'VMDK marker', start);
  if (marker.u64le(0) !== BigInt(sectors)) wrong(`The marker before the ${sectors} sectors of metadata at ${offset} counts them wrongly.`, start, marker.u64le(0));
  if (marker.u32le(8) !== 0) wrong(`Before the metadata at ${offset} is the marker of a grain.`, start + 8, marker.u32le(8));
  if (marker.u32le(12) !== type) wrong(`The marker before the metadata at ${offset} is of another type.`, start + 12, marker.u32le(12));
}

/** How many bytes a grain can take compressed: the worst that deflate does with any of its settings (zlib, deflateBound). */
export function compressedGrainLimit(grainBytes: number): number {
  return grainBytes + (grainBytes >>> 3) + (grainBytes >>> 8) + (grainBytes >>> 9) + 16;
}

/**
 * Judges the marker of a compressed grain, which begins at `start` and holds the guest's data from `sector` on, and answers
 * the length of its data. `sector` is a multiple of a power of two that keeps it exact.
 */
export function readGrainMarker(file: ByteReader, start: number, sector: number, grainBytes: number): number {
  const marker = new Fields(file.read(start, grainMarkerBytes), 'VMDK grain marker', start);
  const lba = marker.u64le(0);
  if (lba !== BigInt(sector)) wrong(`The grain of the guest's sector ${sector} is marked as that of another one.`, start, lba);
  const length = marker.u32le(8);
  if (length === 0) wrong('Where a grain should be, metadata are.', start + 8, length);
  if (length > compressedGrainLimit(grainBytes)) wrong(`A grain of ${grainBytes} bytes cannot take ${length} compressed.`, start + 8, length);
  if (start + grainMarkerBytes + length > file.sizeBytes) wrong('The file ends inside a grain.', start + 8, length);
  return length;
}

function wrong(what: string, offset: number, value: number | bigint): never {
  return refuse('vmdk.marker', what, { offset, value });
}
