import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { partitionedDisk } from './make-disk-image.ts';

/** The disk, and how much of it holds data. */
const diskBytes = 64 * 2 ** 20;
const dataBytes = 2 * 2 ** 20;

/** Makes a gzip of 2 MiB that holds a raw disk of 64 MiB; gives its path. */
export async function makeCompressedDisk(folder: string): Promise<string> {
  const disk = Buffer.concat([partitionedDisk(dataBytes, diskBytes)], diskBytes);
  const file = path.join(folder, 'small.raw.gz');
  await writeFile(file, await promisify(gzip)(disk, { level: 1 }));
  return file;
}
