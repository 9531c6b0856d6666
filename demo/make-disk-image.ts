import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { buildQcow2 } from './build-qcow2.ts';

/** The guest's disk, and how much of it holds data: what has to be carried. */
const diskBytes = 256 * 2 ** 20;
const dataBytes = 28 * 2 ** 20;

/** A qcow2 in a folder. */
export interface DemoDisk {
  readonly file: string;
  /** "sha256:" and hexadecimal digits. */
  readonly digest: string;
  /** What it is, and which program made it, for a person. */
  readonly description: string;
}

/** Makes a qcow2 of 28 MiB that holds a partitioned disk of 256 MiB, with qemu-img where there is one. */
export async function makeDiskImage(folder: string, signal: AbortSignal): Promise<DemoDisk> {
  const file = path.join(folder, 'debian.qcow2');
  const data = partitionedDisk(dataBytes, diskBytes);
  const hasQemu = await convertWithQemu(folder, data, file, signal);
  if (!hasQemu) await writeFile(file, buildQcow2(data, diskBytes));
  const digest = `sha256:${createHash('sha256').update(await readFile(file)).digest('hex')}`;
  return { file, digest, description: `A qcow2 of 28 MiB with a disk of 256 MiB, made by ${hasQemu ? 'qemu-img' : 'the demo itself (there is no qemu-img here)'}` };
}

/** The first `lengthBytes` of a disk of `diskSize`: random bytes behind a boot sector whose partition table has one Linux partition. */
export function partitionedDisk(lengthBytes: number, diskSize: number): Buffer {
  const disk = randomBytes(lengthBytes);
  disk.fill(0, 0, 512);
  disk.writeUInt8(0x83, 446 + 4);
  disk.writeUInt32LE(2_048, 446 + 8);
  disk.writeUInt32LE(diskSize / 512 - 2_048, 446 + 12);
  disk.writeUInt16BE(0x55aa, 510);
  return disk;
}

/** Returns false where there is no qemu-img. */
async function convertWithQemu(folder: string, data: Buffer, file: string, signal: AbortSignal): Promise<boolean> {
  const raw = path.join(folder, 'debian.raw');
  await using handle = await open(raw, 'w');
  await handle.write(data);
  await handle.truncate(diskBytes);
  try {
    await promisify(execFile)('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, file], { signal });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
