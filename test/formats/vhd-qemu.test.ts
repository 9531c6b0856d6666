import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { vhd } from '../../src/formats/vhd/vhd.ts';
import { vhdx } from '../../src/formats/vhdx/vhdx.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { noise } from './build/noise.ts';
import { buildFixedVhd } from './build/vhd.ts';
import { checkTables } from './check-tables.ts';
import { FileReader } from './file-reader.ts';
import { materialise } from './materialise.ts';

const run = promisify(execFile);
const mebibyte = 2 ** 20;
const formats = { vpc: vhd, vhdx } as const;

/** Every option that qemu-img has for the two formats. */
const options: readonly (readonly [driver: keyof typeof formats, option: string])[] = [
  ...['dynamic', 'fixed'].flatMap((subformat) => ['on', 'off'].map((force) => ['vpc', `subformat=${subformat},force_size=${force}`] as const)),
  ...[1, 2, 4, 8, 16, 32, 64, 128, 256].map((size) => ['vhdx', `block_size=${size}M`] as const),
  ...['on', 'off'].map((zero) => ['vhdx', `block_size=1M,block_state_zero=${zero}`] as const),
  ...[1, 2, 16].map((size) => ['vhdx', `log_size=${size}M,block_size=2M`] as const),
  ['vhdx', 'subformat=fixed,block_size=1M'],
  ['vhdx', 'subformat=fixed,block_size=256M'],
  ['vhdx', 'subformat=fixed,block_state_zero=off,log_size=4M'],
];

/** 21 MiB and a few sectors: data at both ends and in the middle, with holes between. */
function source(): Buffer {
  const disk = Buffer.alloc(21 * mebibyte + 7 * 512);
  noise(70_000, 21).copy(disk, 0);
  noise(3 * 512, 22).copy(disk, 9 * mebibyte - 512);
  noise(2 * mebibyte, 23).copy(disk, 15 * mebibyte + 4096);
  noise(512, 24).copy(disk, disk.length - 512);
  return disk;
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lehr-vhd-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (hasTool('qemu-img')) {
  // One after another: each start of qemu-img copies the tables of this process, which are large where all tests hold their disks at once.
  for (const [driver, option] of options) {
    test.serial(`the extents of qemu-img's ${driver} ${option} are the bytes that qemu-img reads`, async (t) => {
      await inFolder(async (folder) => {
        await writeFile(join(folder, 'source'), source());
        await run('qemu-img', ['create', '-q', '-f', driver, '-o', option, 'empty', '21M'], { cwd: folder });
        await run('qemu-img', ['convert', '-f', 'raw', '-O', driver, '-o', option, 'source', 'full'], { cwd: folder });
        for (const name of ['empty', 'full']) {
          await run('qemu-img', ['convert', '-f', driver, '-O', 'raw', name, 'raw'], { cwd: folder });
          const file = new FileReader(join(folder, name));
          try {
            const extents = checkTables(formats[driver], file);
            t.true(Array.isArray(extents), `${name}: ${JSON.stringify(extents)}`);
            const disk = formats[driver].open(file);
            t.is(Buffer.compare(materialise(file, disk), await readFile(join(folder, 'raw'))), 0, name);
          } finally {
            file.close();
          }
        }
      });
    });
  }

  test.serial('a fixed VHD whose geometry is smaller than its file is read to the geometry, as by qemu', async (t) => {
    await inFolder(async (folder) => {
      const data = noise(mebibyte, 25);
      await writeFile(join(folder, 'image'), buildFixedVhd({ creatorApp: 'vpc ' }, (image) => void data.copy(image)));
      await run('qemu-img', ['convert', '-f', 'vpc', '-O', 'raw', 'image', 'raw'], { cwd: folder });
      const file = new FileReader(join(folder, 'image'));
      t.is(Buffer.compare(materialise(file, vhd.open(file)), await readFile(join(folder, 'raw'))), 0);
      file.close();
    });
  });
}
