import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ByteReader } from './byte-reader.ts';
import { edgesOf } from './edges.ts';
import type { Description } from './format-inspector.ts';
import { recognise } from './recognise.ts';
import { ImageRefusedError, refuse } from './refuse.ts';
import type { Verdict } from './verdict.ts';

/** The operator's bounds. `maxVirtualBytes`: the largest guest's disk that is accepted. */
export interface InspectionLimits {
  readonly maxVirtualBytes: bigint;
}

/** No inspection reads more than so many bytes in all, whatever the file claims; the tests hold it to that. */
export const inspectionReadLimitBytes = 4 * 1024 * 1024;

/**
 * The verdict over the stored bytes: what the image is, or why it is refused. Reads at most
 * `inspectionReadLimitBytes`, needs less memory than 8 MiB, and never throws on hostile content; only an error of the
 * reader itself passes through.
 */
export function inspect(file: ByteReader, declared: DiskFormat, limits: InspectionLimits): Verdict {
  try {
    const edges = edgesOf(file);
    const inspector = recognise(edges, declared);
    inspector.checkHead(edges.head, edges.sizeBytes);
    const description = inspector.describe(file);
    checkVirtualSize(description, limits);
    return { kind: 'accepted', format: inspector.format, ...description };
  } catch (error) {
    if (error instanceof ImageRefusedError) return { kind: 'refused', failure: error.failure };
    throw error;
  }
}

function checkVirtualSize({ virtualSizeBytes }: Description, { maxVirtualBytes }: InspectionLimits): void {
  if (virtualSizeBytes === 0n) refuse('virtual_size.zero', 'The disk inside the image has no bytes.');
  if (virtualSizeBytes > maxVirtualBytes) {
    refuse('virtual_size', `The disk inside the image has ${virtualSizeBytes} bytes, more than the ${maxVirtualBytes} allowed.`, {
      value: virtualSizeBytes.toString(),
      limit: maxVirtualBytes.toString(),
    });
  }
}
