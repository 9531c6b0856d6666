import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Provenance } from '../gen/lehr/v1/image.ts';
import type { ImageProperties } from '../gen/lehr/v1/task.ts';

/** What a region says of an image, every part of it in its form and within its bounds; whether it is true is not known yet. */
export interface DescribedImage {
  readonly id: string;
  readonly properties: ImageProperties;
  readonly format: DiskFormat;
  readonly sizeBytes: number;
  readonly virtualSizeBytes: bigint;
  /** "sha256:" and 64 lower-case hex digits, as is `guestDigest`. */
  readonly digest: string;
  /** Empty: the region does not know it. */
  readonly guestDigest: string;
  /** Undefined: the region does not know. */
  readonly provenance: Provenance | undefined;
}
