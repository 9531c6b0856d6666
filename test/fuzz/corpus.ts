import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { changed, u32le } from '../formats/build/change.ts';
import { goodImages } from '../formats/build/good-images.ts';
import { noise } from '../formats/build/noise.ts';
import { fileSystems, gptTable, mbrEntry } from '../formats/build/tables.ts';
import { buildFullVdi } from '../formats/build/vdi.ts';
import { buildBlockVhd, vhdFooter } from '../formats/build/vhd.ts';
import { buildVhdx, vhdxBlocksAt, vhdxTableAt } from '../formats/build/vhdx.ts';
import { buildFullSparseVmdk, buildFullStreamedVmdk } from '../formats/build/vmdk.ts';

/** An image to begin with: sound, and of the named format. Its memory may be shared between threads, and is never changed. */
export interface CorpusImage {
  readonly name: string;
  readonly format: DiskFormat;
  readonly bytes: Uint8Array;
}

/** The names of formats as flags and tables have them. */
export const formatNames = {
  raw: 'DISK_FORMAT_RAW',
  qcow2: 'DISK_FORMAT_QCOW2',
  vmdk: 'DISK_FORMAT_VMDK',
  vhd: 'DISK_FORMAT_VHD',
  vhdx: 'DISK_FORMAT_VHDX',
  vdi: 'DISK_FORMAT_VDI',
  iso: 'DISK_FORMAT_ISO',
} as const satisfies Readonly<Record<string, DiskFormat>>;

export type FormatName = keyof typeof formatNames;

const mebibyte = 2 ** 20;
const sectorBytes = 512;

/** A disk with a GPT and file systems in it, for the probe of what the guest's disk holds. */
export function gptDisk(): Buffer {
  const [first, second, third] = [64, 512, 1024];
  return changed(
    Buffer.alloc(mebibyte),
    gptTable([first, second, third]),
    fileSystems.ext4(first * sectorBytes),
    fileSystems.fat(second * sectorBytes),
    fileSystems.swap(third * sectorBytes),
  );
}

/** A disk with an MBR, an extended partition and logical ones in it. */
export function mbrDisk(): Buffer {
  return changed(
    Buffer.alloc(mebibyte),
    mbrEntry(0, 0, 0x83, 64, 128),
    mbrEntry(0, 1, 0x05, 256, 1024),
    mbrEntry(256 * sectorBytes, 0, 0x83, 32, 64),
    mbrEntry(256 * sectorBytes, 1, 0x05, 256, 256),
    mbrEntry(512 * sectorBytes, 0, 0x83, 32, 64),
    fileSystems.ext4(64 * sectorBytes),
    fileSystems.btrfs(288 * sectorBytes),
  );
}

/** With blocks of 1 MiB, of which the second is stored. */
function filledVhdx(): Buffer {
  const data = (image: Buffer): void => {
    noise(300_000, 11).copy(image, vhdxBlocksAt + mebibyte / 2);
    image.writeBigUInt64LE(BigInt(vhdxBlocksAt) | 6n, vhdxTableAt + 8);
  };
  return buildVhdx({ dataBytes: mebibyte, metadata: [u32le(64 * 1024, mebibyte)], file: [data] });
}

const sparseBlock = Buffer.concat([noise(1024, 8), Buffer.alloc(3072)]);

/** The images that code makes from the specifications, always in the same order. */
export function builtCorpus(): readonly CorpusImage[] {
  const more: readonly (readonly [name: string, format: FormatName, bytes: Buffer])[] = [
    ['VMDK with redundant tables and data', 'vmdk', buildFullSparseVmdk()],
    ['streamed VMDK with data', 'vmdk', buildFullStreamedVmdk()],
    ['dynamic VHD with data', 'vhd', buildBlockVhd([{ data: noise(4096, 9) }, undefined, { data: sparseBlock, bitmap: 0xc0 }, { data: noise(4096, 10) }])],
    ['fixed VHD with a GPT', 'vhd', Buffer.concat([gptDisk(), vhdFooter()])],
    ['VHDX with data', 'vhdx', filledVhdx()],
    ['VDI with data', 'vdi', buildFullVdi()],
    ['raw disk with a GPT and file systems', 'raw', gptDisk()],
    ['raw disk with logical partitions', 'raw', mbrDisk()],
  ];
  return [
    ...goodImages.map(({ name, format, build }) => ({ name, format, bytes: shared(build()) })),
    ...more.map(([name, format, bytes]) => ({ name, format: formatNames[format], bytes: shared(bytes) })),
  ];
}

/** The same bytes in memory that threads share. */
export function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
