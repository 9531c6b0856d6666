import { createCipheriv, createHash } from 'node:crypto';

import { buildQcow2 } from '../../formats/build/qcow2.ts';
import { mbr } from '../../formats/build/raw.ts';
import type { DiskFormat } from '../../../src/gen/lehr/v1/disk_format.ts';

/** An image that passes every check. */
export interface DiskImage {
  readonly bytes: Buffer;
  /** "sha256:" and hexadecimal digits. */
  readonly digest: string;
  readonly format: DiskFormat;
}

/** A raw disk with one partition, full of noise; another one for each seed. */
export function rawDisk(sizeBytes: number, seed: number): DiskImage {
  const bytes = noiseBytes(sizeBytes, seed);
  mbr(bytes);
  return { bytes, digest: digestOf(bytes), format: 'DISK_FORMAT_RAW' };
}

/** A qcow2 whose unused clusters are full of noise; `sizeBytes` at least 256 KiB. */
export function qcow2Disk(sizeBytes: number, seed: number): DiskImage {
  const tables = buildQcow2(3);
  const bytes = Buffer.concat([tables, noiseBytes(sizeBytes - tables.length, seed)]);
  return { bytes, digest: digestOf(bytes), format: 'DISK_FORMAT_QCOW2' };
}

/** "sha256:" and the digest of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The key stream of AES-CTR: noise that is made at a gigabyte a second and is the same for the same seed. */
function noiseBytes(sizeBytes: number, seed: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
