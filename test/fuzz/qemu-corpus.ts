import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { noise } from '../formats/build/noise.ts';
import { formatNames, gptDisk, mbrDisk, shared } from './corpus.ts';
import type { CorpusImage, FormatName } from './corpus.ts';

const run = promisify(execFile);
const mebibyte = 2 ** 20;

/** What is written into the images, by the name that stands in the list below. */
const sources: Readonly<Record<string, () => Buffer>> = {
  data: dataDisk,
  large: () => Buffer.concat([dataDisk(), Buffer.alloc(13 * mebibyte), noise(140 * 512, 4), Buffer.alloc(400 * 512)]),
  gpt: gptDisk,
  mbr: mbrDisk,
};

/** Data that do not compress, data that do, zeros and holes, on a disk whose end is inside a cluster of most sizes. */
function dataDisk(): Buffer {
  const disk = Buffer.alloc(2 * mebibyte + 7 * 512);
  noise(150_000, 1).copy(disk, 0);
  disk.fill('a line of text\n', 300_000, 900_000);
  noise(3 * 512, 2).copy(disk, 1_200 * 1024 + 512);
  noise(9 * 512, 3).copy(disk, disk.length - 9 * 512);
  return disk;
}

/** Format and qemu's name for it, the source, options, further arguments, and what qemu-io does to the image afterwards. */
type Recipe = readonly [format: FormatName, source: string, options: string, more?: readonly string[], writes?: readonly string[]];

const someWrites = ['write -P 0xab 100k 3k', 'write -z 350k 100k', 'write -z -u 500k 128k', 'discard 0 64k', 'write -P 0x11 1900k 10k'];

const recipes: readonly Recipe[] = [
  ['qcow2', 'data', 'compat=0.10', [], someWrites],
  ['qcow2', 'data', 'compat=1.1', [], someWrites],
  ['qcow2', 'data', 'cluster_size=512'],
  ['qcow2', 'data', 'cluster_size=4k', [], someWrites],
  ['qcow2', 'large', 'cluster_size=2M'],
  ['qcow2', 'large', 'cluster_size=1k,refcount_bits=64'],
  ['qcow2', 'data', 'preallocation=metadata'],
  ['qcow2', 'data', 'refcount_bits=1,cluster_size=4k'],
  ['qcow2', 'data', 'extended_l2=on', [], someWrites],
  ['qcow2', 'data', 'extended_l2=on,cluster_size=16k', [], someWrites],
  ['qcow2', 'data', 'compat=1.1', ['-c']],
  ['qcow2', 'data', 'cluster_size=4k', ['-c']],
  ['qcow2', 'data', 'compression_type=zstd,cluster_size=8k', ['-c']],
  ['qcow2', 'data', 'extended_l2=on,compression_type=zstd', ['-c']],
  ['qcow2', 'gpt', 'cluster_size=4k'],
  ['qcow2', 'mbr', 'compat=1.1', ['-c']],
  ['vmdk', 'data', 'subformat=monolithicSparse'],
  ['vmdk', 'large', 'subformat=monolithicSparse,zeroed_grain=on'],
  ['vmdk', 'data', 'subformat=monolithicSparse,zeroed_grain=on', [], someWrites],
  ['vmdk', 'data', 'subformat=streamOptimized'],
  ['vmdk', 'large', 'subformat=streamOptimized'],
  ['vmdk', 'gpt', 'subformat=streamOptimized'],
  ['vhd', 'data', 'subformat=dynamic', [], someWrites.slice(0, 2)],
  ['vhd', 'large', 'subformat=dynamic,force_size=on'],
  ['vhd', 'data', 'subformat=fixed,force_size=on'],
  ['vhd', 'mbr', 'subformat=dynamic,force_size=on'],
  ['vhdx', 'data', 'subformat=dynamic,block_size=1M', [], someWrites.slice(0, 2)],
  ['vhdx', 'data', 'subformat=fixed,block_size=1M'],
  ['vhdx', 'gpt', 'subformat=dynamic,block_size=1M'],
  ['vdi', 'data', 'static=off', [], someWrites],
  ['vdi', 'data', 'static=on'],
  ['vdi', 'mbr', 'static=off'],
];

const drivers: Readonly<Record<FormatName, string>> = { raw: 'raw', qcow2: 'qcow2', vmdk: 'vmdk', vhd: 'vpc', vhdx: 'vhdx', vdi: 'vdi', iso: 'raw' };

/** Images that qemu-img makes, always in the same order. What it draws at random (identifiers, times) differs from run to run. */
export async function qemuCorpus(): Promise<readonly CorpusImage[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lehr-fuzz-'));
  try {
    for (const [name, build] of Object.entries(sources)) await writeFile(join(folder, name), build());
    const images: CorpusImage[] = [];
    for (const [format, source, options, more = [], writes = []] of recipes) {
      const driver = drivers[format];
      await run('qemu-img', ['convert', '-f', 'raw', '-O', driver, '-o', options, ...more, source, 'image'], { cwd: folder });
      if (writes.length > 0) await run('qemu-io', ['-t', 'unsafe', '-d', 'unmap', '-f', driver, ...writes.flatMap((write) => ['-c', write]), 'image'], { cwd: folder });
      const name = `qemu-img's ${driver} of ${source} with ${[options, ...more].join(' ')}`;
      images.push({ name, format: formatNames[format], bytes: shared(await readFile(join(folder, 'image'))) });
    }
    return images;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
