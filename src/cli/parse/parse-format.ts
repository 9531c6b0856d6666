import { InvalidArgumentError } from 'commander';

import { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';

const PREFIX = 'DISK_FORMAT_';

/** The formats' names as one types them: `raw`, `qcow2`, … */
export const formatNames: readonly string[] = Object.values(DiskFormat)
  .filter((name) => name.startsWith(PREFIX) && name !== 'DISK_FORMAT_UNSPECIFIED')
  .map((name) => name.slice(PREFIX.length).toLowerCase());

/** Reads a format's name, in capitals or not. */
export function parseFormat(text: string): DiskFormat {
  const format = Object.values(DiskFormat).find((name) => name === PREFIX + text.toUpperCase());
  if (format === undefined || format === 'DISK_FORMAT_UNSPECIFIED') throw new InvalidArgumentError(`Choose from ${formatNames.join(', ')}.`);
  return format;
}
