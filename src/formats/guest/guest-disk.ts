import type { Extent } from './extent.ts';
import type { FileSpace } from './file-space.ts';

/** The guest's disk inside an image whose headers were accepted. */
export interface GuestDisk {
  /** The size that the guest sees. */
  readonly sizeBytes: bigint;
  /** Every part of the file that the format gives out begins at a multiple of it; a power of two, 512 at least. */
  readonly unitBytes: number;
  /**
   * The disk as extents, in order and to its end. Each table is read piece by piece and each entry judged before it is used:
   * one that leads outside the file, or is impossible, refuses the image (`refuse`). With `space`, whatever the file gives out
   * (headers, tables, data) is claimed there, and what is given out twice refuses the image. Yields at least once for each
   * table that is read, so that whoever drives it can pause; zero extents need not be merged.
   */
  walk(space?: FileSpace): Generator<Extent, void, undefined>;
}

/** The disk of formats that keep the guest's bytes in one piece, `sizeBytes` from the beginning of the file on. */
export function plainDisk(sizeBytes: bigint, storedBytes: number): GuestDisk {
  return {
    sizeBytes,
    unitBytes: 512,
    *walk() {
      const stored = Math.min(Number(sizeBytes), storedBytes);
      if (stored > 0) yield { kind: 'stored', lengthBytes: stored, offset: 0 };
      if (Number(sizeBytes) > stored) yield { kind: 'zero', lengthBytes: Number(sizeBytes) - stored };
    },
  };
}
