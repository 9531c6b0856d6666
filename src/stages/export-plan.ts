import type { Compression, DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import { isCompressing } from './conversion-of.ts';

/** What an export makes of an image. */
export interface ExportPlan {
  /** Of what is delivered; never unspecified. */
  readonly format: DiskFormat;
  readonly compression: Compression;
  /** False: it is delivered as it is stored. */
  readonly isConverted: boolean;
}

/** The format that an export asks for: qcow2 unless it says another. */
export function exportFormat(asked: DiskFormat): DiskFormat {
  return asked === 'DISK_FORMAT_UNSPECIFIED' ? 'DISK_FORMAT_QCOW2' : asked;
}

/** What is to be done with an image that is stored in `stored`. One that has the format already is only converted to be compressed. */
export function exportPlan(stored: DiskFormat, asked: DiskFormat, compression: Compression): ExportPlan {
  const format = exportFormat(asked);
  return { format, compression, isConverted: format !== stored || isCompressing(compression) };
}
