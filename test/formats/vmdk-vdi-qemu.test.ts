import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { inspect } from '../../src/formats/inspect.ts';
import { vdi } from '../../src/formats/vdi/vdi.ts';
import { vmdk } from '../../src/formats/vmdk/vmdk.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { naiveGuestDigest } from './build/naive-guest-digest.ts';
import { noise } from './build/noise.ts';
import { buildFullVdi, vdiGuestDisk } from './build/vdi.ts';
import { buildFullSparseVmdk, buildFullStreamedVmdk, guestDisk } from './build/vmdk.ts';
import { materialise } from './materialise.ts';

const run = promisify(execFile);
const limits = { maxVirtualBytes: 64n * 1024n ** 4n };
const mebibyte = 1024 * 1024;
/** More than one grain table covers (32 MiB) and no whole number of grains or blocks. */
const diskBytes = 33 * mebibyte + 512 * 7;

type Driver = 'vmdk' | 'vdi';

const inspectors = { vmdk, vdi } as const;
const formats = { vmdk: 'DISK_FORMAT_VMDK', vdi: 'DISK_FORMAT_VDI' } as const;

const options: readonly (readonly [driver: Driver, options: string])[] = [
  ['vmdk', 'subformat=monolithicSparse'],
  ['vmdk', 'subformat=monolithicSparse,zeroed_grain=on'],
  ['vmdk', 'subformat=monolithicSparse,compat6=on'],
  ['vmdk', 'subformat=monolithicSparse,hwversion=14'],
  ['vmdk', 'subformat=monolithicSparse,toolsversion=12352'],
  ...['ide', 'buslogic', 'lsilogic', 'legacyESX'].map((adapter) => ['vmdk', `adapter_type=${adapter}`] as const),
  ['vmdk', 'subformat=streamOptimized'],
  ['vmdk', 'subformat=streamOptimized,adapter_type=lsilogic,hwversion=13'],
  ['vmdk', 'subformat=streamOptimized,zeroed_grain=on'],
  ['vdi', 'static=off'],
  ['vdi', 'static=on'],
];

/** What is written into a disk that `create` made: data across grains, blocks and tables, zeros and holes. */
const writes = [
  'write -P 0x11 0 4096',
  'write -P 0x22 65000 70000',
  'write -P 0x33 1048000 3M',
  'write -P 0x44 33553920 1024',
  'write -P 0x55 10M 9M',
  `write -P 0x66 ${diskBytes - 512} 512`,
  'write -z 11M 2M',
  'write -z -u 14M 1M',
  'discard 16M 2M',
  'write -P 0x77 30M 64k',
  'write -P 0x12 11M 64k',
];

/** Data that do not compress, data that do, zeros and holes, over several grain tables. */
function source(): Buffer {
  const disk = Buffer.alloc(diskBytes);
  noise(700_001, 5).copy(disk, 0);
  disk.fill('compressible ', 3 * mebibyte, 9 * mebibyte + 777);
  noise(200_000, 6).copy(disk, 32 * mebibyte - 100_000);
  noise(3 * mebibyte, 7).copy(disk, 20 * mebibyte + 512);
  noise(1000, 8).copy(disk, diskBytes - 1000);
  return disk;
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lehr-disks-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rawByQemu(folder: string, driver: Driver): Promise<Buffer> {
  await run('qemu-img', ['convert', '-f', driver, '-O', 'raw', 'image', 'raw'], { cwd: folder });
  return readFile(join(folder, 'raw'));
}

/** What is wrong with how the image in the folder is read, held against qemu; empty where nothing is. */
async function difference(folder: string, driver: Driver, expected: Buffer | undefined): Promise<string> {
  const raw = await rawByQemu(folder, driver);
  const file = new MemoryReader(await readFile(join(folder, 'image')));
  const verdict = inspect(file, formats[driver], limits);
  if (verdict.kind === 'refused') return verdict.failure.message;
  if (verdict.guestDigest !== naiveGuestDigest(raw)) return 'The digest differs.';
  if (!materialise(file, inspectors[driver].open(file)).equals(raw)) return 'The bytes differ.';
  return expected === undefined || expected.equals(raw) ? '' : 'qemu reads something else.';
}

if (hasTool('qemu-img')) {
  const disk = source();

  for (const [driver, option] of options) {
    test.serial(`the guest reads from a converted ${driver} with ${option} what qemu reads`, async (t) => {
      await inFolder(async (folder) => {
        await writeFile(join(folder, 'source'), disk);
        await run('qemu-img', ['convert', '-f', 'raw', '-O', driver, '-o', option, 'source', 'image'], { cwd: folder });
        t.is(await difference(folder, driver, disk), '');
      });
    });

    // The kind of adapter is a word in the descriptor: writing is the same for all.
    if (!option.includes('streamOptimized') && !option.startsWith('adapter_type')) {
      test.serial(`the guest reads from a ${driver} with ${option} that was written to what qemu reads`, async (t) => {
        await inFolder(async (folder) => {
          await run('qemu-img', ['create', '-q', '-f', driver, '-o', option, 'image', String(diskBytes)], { cwd: folder });
          t.is(await difference(folder, driver, Buffer.alloc(diskBytes)), '');
          await run('qemu-io', ['-t', 'unsafe', '-f', driver, '-d', 'unmap', ...writes.flatMap((command) => ['-c', command]), 'image'], { cwd: folder });
          t.is(await difference(folder, driver, undefined), '');
          const raw = await readFile(join(folder, 'raw'));
          const places = [0, 65_000, 33_553_920, 11 * mebibyte, 12 * mebibyte, diskBytes - 1];
          t.deepEqual(places.map((place) => raw[place]), [0x11, 0x22, 0x44, 0x12, 0, 0x66]);
        });
      });
    }
  }

  test.serial('the guest reads from what the builders make what qemu reads', async (t) => {
    await inFolder(async (folder) => {
      for (const [driver, image, expected] of [
        ['vmdk', buildFullSparseVmdk(), guestDisk()],
        ['vmdk', buildFullStreamedVmdk(), guestDisk()],
        ['vdi', buildFullVdi(), vdiGuestDisk()],
      ] as const) {
        await writeFile(join(folder, 'image'), image);
        t.is(await difference(folder, driver, expected), '');
      }
    });
  });

  for (const driver of ['vmdk', 'vdi'] as const) {
    test.serial(`the guest reads from a ${driver} that was written out of order, and without holes, what qemu reads`, async (t) => {
      await inFolder(async (folder) => {
        await writeFile(join(folder, 'source'), disk);
        await run('qemu-img', ['convert', '-W', '-m', '16', '-S', '0', '-f', 'raw', '-O', driver, 'source', 'image'], { cwd: folder });
        t.is(await difference(folder, driver, disk), '');
      });
    });

    test.serial(`data far into a ${driver} of a terabyte are found where they were written`, async (t) => {
      await inFolder(async (folder) => {
        await run('qemu-img', ['create', '-q', '-f', driver, 'image', '1T'], { cwd: folder });
        await run('qemu-io', ['-t', 'unsafe', '-f', driver, '-c', 'write -P 0x11 4608M 64k', '-c', 'write -P 0x5a 900G 64k', 'image'], { cwd: folder });
        const file = new MemoryReader(await readFile(join(folder, 'image')));
        const found: (readonly [guest: number, first: number | undefined])[] = [];
        let guest = 0;
        for (const extent of inspectors[driver].open(file).walk()) {
          if (extent.kind === 'stored') found.push([guest, file.read(extent.offset, 1)[0]]);
          guest += extent.lengthBytes;
        }
        t.deepEqual(found, [[4608 * mebibyte, 0x11], [900 * 1024 * mebibyte, 0x5a]]);
        t.is(guest, 2 ** 40);
        t.is(inspect(file, formats[driver], limits).kind, 'accepted');
      });
    });
  }
}
