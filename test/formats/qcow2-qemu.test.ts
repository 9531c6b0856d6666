import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { inspect } from '../../src/formats/inspect.ts';
import { qcow2 } from '../../src/formats/qcow2/qcow2.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { badQcow2 } from './build/bad-qcow2.ts';
import { goodImages } from './build/good-images.ts';
import { guestBytes } from './build/guest-bytes.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { naiveGuestDigest } from './build/naive-guest-digest.ts';
import { noise } from './build/noise.ts';

const run = promisify(execFile);
const limits = { maxVirtualBytes: 2n ** 60n };
const kibibyte = 1024;

/** A disk with data, holes and text that compresses, whose end is inside a cluster of any size but the smallest. */
function sourceDisk(): Buffer {
  const disk = Buffer.alloc(5 * 1024 * kibibyte + 7 * 512);
  noise(300 * kibibyte, 1).copy(disk, 0);
  disk.fill('a line of text\n', 700 * kibibyte, 1500 * kibibyte);
  noise(3 * 512, 2).copy(disk, 2000 * kibibyte + 512);
  noise(70 * kibibyte, 3).copy(disk, 3000 * kibibyte);
  noise(9 * 512, 4).copy(disk, disk.length - 9 * 512);
  return disk;
}

/** What is done to an image after it was made: by a guest, as it were. */
const writes = [
  'write -P 0xab 100k 3k',
  'write -P 0xcd 2621000 70000',
  'write -z 750k 200k',
  'write -z -u 1000k 128k',
  'discard 0 64k',
  'write -P 0xef 128k 1k',
  'write -P 0x11 5120k 3584',
];

/** Options of creation, arguments of the conversion, and whether a guest can write into the image afterwards. */
const images: readonly (readonly [options: string, convert?: readonly string[]])[] = [
  ['compat=0.10'],
  ['compat=1.1'],
  ['compat=0.10,cluster_size=512'],
  ['cluster_size=512'],
  ['cluster_size=4k'],
  ['cluster_size=2M'],
  ['preallocation=metadata'],
  ['preallocation=falloc'],
  ['preallocation=full'],
  ['preallocation=metadata,cluster_size=2M'],
  ['lazy_refcounts=on'],
  ['refcount_bits=1'],
  ['refcount_bits=2,cluster_size=512'],
  ['refcount_bits=4'],
  ['refcount_bits=8,cluster_size=512'],
  ['refcount_bits=32'],
  ['refcount_bits=64,cluster_size=512'],
  ['extended_l2=on'],
  ['extended_l2=on,cluster_size=16k'],
  ['extended_l2=on,cluster_size=2M'],
  ['extended_l2=on,preallocation=metadata'],
  ['compat=1.1', ['-c']],
  ['compat=0.10', ['-c']],
  ['compression_type=zstd', ['-c']],
  ['cluster_size=512', ['-c']],
  ['cluster_size=4k,compression_type=zstd', ['-c']],
  ['cluster_size=2M', ['-c']],
  ['cluster_size=2M,compression_type=zstd', ['-c']],
  ['extended_l2=on', ['-c']],
  ['extended_l2=on,compression_type=zstd', ['-c', '-W']],
  ['compat=1.1', ['-S', '0']],
  ['compat=1.1', ['-W', '-m', '16']],
];

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lehr-qcow2-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The answer of `qemu-img check`: 0 sound, 1 it could not be checked, 2 corrupt, 3 sound but for leaks. */
async function check(folder: string, name: string): Promise<number> {
  try {
    await run('qemu-img', ['check', '-q', '-f', 'qcow2', name], { cwd: folder });
    return 0;
  } catch (error) {
    return (error as { readonly code: number }).code;
  }
}

/** Holds what is read here against what qemu-img makes of the image, and the judgement against that of `qemu-img check`. */
async function compare(t: ExecutionContext, folder: string, name: string): Promise<void> {
  t.true([0, 3].includes(await check(folder, name)), name);
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', name, 'raw'], { cwd: folder });
  const file = new MemoryReader(await readFile(join(folder, name)));
  const expected = await readFile(join(folder, 'raw'));
  const disk = qcow2.open(file);
  t.is(disk.sizeBytes, BigInt(expected.length));
  t.true(guestBytes(file, disk.walk()).equals(expected), `${name}: other bytes than qemu reads`);
  const verdict = inspect(file, 'DISK_FORMAT_QCOW2', limits);
  t.is(verdict.kind === 'accepted' ? verdict.guestDigest : verdict.failure.message, naiveGuestDigest(expected));
}

if (hasTool('qemu-img')) {
  // One after another: each start of qemu-img copies the tables of this process, which are large where all tests hold their disks at once.
  for (const [options, convert = []] of images) {
    test.serial(`a qcow2 with ${options} ${convert.join(' ')} is read as qemu reads it, before and after a guest wrote to it`, async (t) => {
      await inFolder(async (folder) => {
        await writeFile(join(folder, 'source'), sourceDisk());
        await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-o', options, ...convert, 'source', 'image'], { cwd: folder });
        await compare(t, folder, 'image');
        await run('qemu-io', ['-t', 'unsafe', '-d', 'unmap', '-f', 'qcow2', ...writes.flatMap((write) => ['-c', write]), 'image'], { cwd: folder });
        await compare(t, folder, 'image');
      });
    });
  }

  test.serial('a qcow2 that was made empty and written to here and there is read as qemu reads it', async (t) => {
    await inFolder(async (folder) => {
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4k', 'image', '9M'], { cwd: folder });
      const commands = ['write -P 1 8388608 512', 'write -P 2 0 4096', 'write -P 3 4100k 9k', 'write -c -P 4 6M 4k', 'write -c -P 5 6148k 4k'];
      await run('qemu-io', ['-t', 'unsafe', '-f', 'qcow2', ...commands.flatMap((command) => ['-c', command]), 'image'], { cwd: folder });
      await compare(t, folder, 'image');
    });
  });

  test.serial('a qcow2 that grew and shrank is read as qemu reads it', async (t) => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, 'source'), sourceDisk());
      await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-o', 'cluster_size=4k', 'source', 'image'], { cwd: folder });
      for (const size of ['20M', '3000k']) {
        await run('qemu-img', ['resize', '-q', '-f', 'qcow2', '--shrink', 'image', size], { cwd: folder });
        await compare(t, folder, 'image');
      }
    });
  });

  test.serial('a qcow2 with dirty bitmaps is read as qemu reads it', async (t) => {
    await inFolder(async (folder) => {
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', 'image', '5M'], { cwd: folder });
      for (const bitmap of ['one', 'two']) await run('qemu-img', ['bitmap', '--add', '-g', '4k', 'image', bitmap], { cwd: folder });
      await run('qemu-io', ['-t', 'unsafe', '-f', 'qcow2', '-c', 'write -P 7 1M 100k', 'image'], { cwd: folder });
      await compare(t, folder, 'image');
      await run('qemu-img', ['bitmap', '--remove', 'image', 'one'], { cwd: folder });
      await compare(t, folder, 'image');
    });
  });

  test.serial('a qcow2 whose deleted snapshots left leaks behind is read as qemu reads it', async (t) => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, 'source'), sourceDisk());
      await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-o', 'cluster_size=4k', 'source', 'image'], { cwd: folder });
      await run('qemu-img', ['snapshot', '-c', 'before', 'image'], { cwd: folder });
      await run('qemu-io', ['-t', 'unsafe', '-f', 'qcow2', '-c', 'write -P 7 1M 100k', 'image'], { cwd: folder });
      await run('qemu-img', ['snapshot', '-d', 'before', 'image'], { cwd: folder });
      await compare(t, folder, 'image');
    });
  });

  test.serial('the images that the builders make are sound for qemu, and read alike', async (t) => {
    await inFolder(async (folder) => {
      for (const { name, build } of goodImages.filter(({ format }) => format === 'DISK_FORMAT_QCOW2')) {
        await writeFile(join(folder, name), build());
        await compare(t, folder, name);
      }
    });
  });

  /** qemu fails when it reads the first and the last; the format forbids the second, and readers differ in what it means. */
  const soundForQemu = ['a zero cluster in version 2', 'a zero cluster among extended entries', 'a compressed cluster that does not decode'];

  test.serial('the tables that are refused are none that qemu-img check calls sound, but for three', async (t) => {
    await inFolder(async (folder) => {
      const tables = badQcow2.slice(badQcow2.findIndex((image) => image.check === 'qcow2.refcount_block'));
      const sound: string[] = [];
      for (const image of tables) {
        await writeFile(join(folder, image.name), image.build());
        if ([0, 3].includes(await check(folder, image.name))) sound.push(image.name);
      }
      t.deepEqual(sound, soundForQemu);
    });
  });
}
