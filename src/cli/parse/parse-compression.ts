import { InvalidArgumentError } from 'commander';

import { Compression } from '../../gen/lehr/v1/disk_format.ts';

const PREFIX = 'COMPRESSION_';

/** The compressions' names as one types them: `none`, `zlib`, `zstd`. */
export const compressionNames: readonly string[] = Object.values(Compression)
  .filter((name) => name.startsWith(PREFIX) && name !== 'COMPRESSION_UNSPECIFIED')
  .map((name) => name.slice(PREFIX.length).toLowerCase());

/** Reads a compression's name, in capitals or not. */
export function parseCompression(text: string): Compression {
  const compression = Object.values(Compression).find((name) => name === PREFIX + text.toUpperCase());
  if (compression === undefined || compression === 'COMPRESSION_UNSPECIFIED') throw new InvalidArgumentError(`Choose from ${compressionNames.join(', ')}.`);
  return compression;
}
