import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { headBytes, inspectHead } from '../../src/formats/inspect-head.ts';
import { inspect } from '../../src/formats/inspect.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { goodImages } from './build/good-images.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { noise } from './build/noise.ts';
import { buildRaw, mbr } from './build/raw.ts';
import { buildFixedVhd } from './build/vhd.ts';

const run = promisify(execFile);
const limits = { maxVirtualBytes: 64n * 1024n ** 4n };
const drivers: Readonly<Partial<Record<DiskFormat, string>>> = {
  DISK_FORMAT_RAW: 'raw',
  DISK_FORMAT_QCOW2: 'qcow2',
  DISK_FORMAT_VMDK: 'vmdk',
  DISK_FORMAT_VHD: 'vpc',
  DISK_FORMAT_VHDX: 'vhdx',
  DISK_FORMAT_VDI: 'vdi',
  DISK_FORMAT_ISO: 'raw',
};

/** Each kind of image that qemu-img makes and Lehr accepts: format, creation options, and a fact that shows the kind. */
const accepted: readonly (readonly [format: DiskFormat, options: string, fact: string])[] = [
  ['DISK_FORMAT_RAW', '', 'content=MBR'],
  ['DISK_FORMAT_QCOW2', 'compat=0.10', 'qcow2_version=2'],
  ['DISK_FORMAT_QCOW2', 'compat=1.1', 'qcow2_version=3'],
  ['DISK_FORMAT_QCOW2', 'compression_type=zstd', 'compression_type=zstd'],
  ['DISK_FORMAT_QCOW2', 'extended_l2=on', 'extended_l2=true'],
  ['DISK_FORMAT_QCOW2', 'cluster_size=512', 'cluster_bytes=512'],
  ['DISK_FORMAT_QCOW2', 'cluster_size=2M', 'cluster_bytes=2097152'],
  ['DISK_FORMAT_QCOW2', 'refcount_bits=64', 'qcow2_version=3'],
  ['DISK_FORMAT_QCOW2', 'lazy_refcounts=on', 'qcow2_version=3'],
  ['DISK_FORMAT_QCOW2', 'preallocation=metadata', 'qcow2_version=3'],
  ['DISK_FORMAT_VMDK', 'subformat=monolithicSparse', 'create_type=monolithicSparse'],
  ['DISK_FORMAT_VMDK', 'subformat=streamOptimized', 'create_type=streamOptimized'],
  ['DISK_FORMAT_VMDK', 'adapter_type=lsilogic,hwversion=13', 'create_type=monolithicSparse'],
  ['DISK_FORMAT_VHD', 'subformat=dynamic', 'disk_type=dynamic'],
  ['DISK_FORMAT_VHD', 'subformat=fixed', 'disk_type=fixed'],
  ['DISK_FORMAT_VHD', 'subformat=dynamic,force_size=on', 'size_rule=current_size'],
  ['DISK_FORMAT_VHD', 'subformat=fixed,force_size=on', 'size_rule=current_size'],
  ['DISK_FORMAT_VHDX', 'subformat=dynamic', 'logical_sector_bytes=512'],
  ['DISK_FORMAT_VHDX', 'subformat=fixed', 'logical_sector_bytes=512'],
  ['DISK_FORMAT_VHDX', 'block_size=1M', 'block_bytes=1048576'],
  ['DISK_FORMAT_VDI', 'static=off', 'image_type=dynamic'],
  ['DISK_FORMAT_VDI', 'static=on', 'image_type=static'],
];

/** Images that qemu-img makes and Lehr refuses: arguments of `create`, the file to look at, and the check. */
const refused: readonly (readonly [name: string, args: readonly string[], check: string])[] = [
  ['a qcow2 with a backing file', ['-f', 'qcow2', '-b', 'base', '-F', 'raw', 'image'], 'qcow2.backing_file'],
  ['a qcow2 with an external data file', ['-f', 'qcow2', '-o', 'data_file=data', 'image', '1M'], 'qcow2.data_file'],
  // Not LUKS: qemu-img calibrates its key derivation by the CPU clock, and fails now and then on a busy machine.
  ['an encrypted qcow2', ['--object', 'secret,id=s,data=x', '-f', 'qcow2', '-o', 'encrypt.format=aes,encrypt.key-secret=s', 'image', '1M'], 'qcow2.encryption'],
  ['a qcow of version 1', ['-f', 'qcow', 'image', '1M'], 'qcow2.version'],
  ['a QED', ['-f', 'qed', 'image', '1M'], 'format.unsupported'],
  ['a Parallels disk', ['-f', 'parallels', 'image', '1M'], 'format.unsupported'],
  ['the descriptor of a flat VMDK', ['-f', 'vmdk', '-o', 'subformat=monolithicFlat', 'image', '1M'], 'format.unsupported'],
  ['the descriptor of a split VMDK', ['-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse', 'image', '1M'], 'format.unsupported'],
  ['a VMDK with a backing file', ['-f', 'vmdk', '-b', 'base.vmdk', '-F', 'vmdk', 'image'], 'vmdk.parent'],
];

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lehr-formats-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function virtualSizeByQemu(folder: string, file: string, driver: string): Promise<bigint> {
  const { stdout } = await run('qemu-img', ['info', '--output=json', '-f', driver, file], { cwd: folder });
  return BigInt((JSON.parse(stdout) as { 'virtual-size': number })['virtual-size']);
}

if (hasTool('qemu-img')) {
  for (const [format, options, fact] of accepted) {
    const driver = drivers[format] ?? '';
    const option = options === '' ? [] : ['-o', options];

    test(`qemu-img's ${driver} ${options} is accepted with the size that qemu reads, empty and full`, async (t) => {
      await inFolder(async (folder) => {
        await writeFile(join(folder, 'source'), Buffer.concat([buildRaw(mbr), noise(700 * 512, 5), Buffer.alloc(300 * 512)]));
        if (driver !== 'raw') await run('qemu-img', ['create', '-q', '-f', driver, ...option, 'empty', '10M'], { cwd: folder });
        await run('qemu-img', ['convert', '-f', 'raw', '-O', driver, ...option, 'source', 'full'], { cwd: folder });
        for (const file of driver === 'raw' ? ['full'] : ['empty', 'full']) {
          const image = await readFile(join(folder, file));
          const virtualSizeBytes = await virtualSizeByQemu(folder, file, driver);
          for (const declared of [format, 'DISK_FORMAT_UNSPECIFIED'] as const) {
            const verdict = inspect(new MemoryReader(image), declared, limits, 'tables');
            if (verdict.kind === 'refused') return t.fail(`${file}: ${verdict.failure.message}`);
            const facts = Object.entries(verdict.facts).map((entry) => entry.join('='));
            t.deepEqual({ ...verdict, facts: {} }, { kind: 'accepted', format, virtualSizeBytes, warnings: [], facts: {}, guestDigest: '' });
            t.true(facts.includes(fact), facts.join(' '));
            t.is(inspectHead(image.subarray(0, headBytes), declared), undefined);
          }
        }
      });
    });
  }

  for (const [name, args, check] of refused) {
    test(`${name} by qemu-img is refused by ${check}`, async (t) => {
      await inFolder(async (folder) => {
        await writeFile(join(folder, 'base'), buildRaw(mbr));
        await run('qemu-img', ['create', '-q', '-f', 'vmdk', 'base.vmdk', '1M'], { cwd: folder });
        await run('qemu-img', ['create', '-q', ...args], { cwd: folder });
        const image = await readFile(join(folder, 'image'));
        const verdict = inspect(new MemoryReader(image), 'DISK_FORMAT_UNSPECIFIED', limits);
        t.is(verdict.kind === 'refused' ? verdict.failure.metadata['check'] : 'accepted', check);
        t.is(inspectHead(image.subarray(0, headBytes), 'DISK_FORMAT_UNSPECIFIED')?.metadata['check'], check);
      });
    });
  }

  test('a qcow2 with an internal snapshot is refused', async (t) => {
    await inFolder(async (folder) => {
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', 'image', '1M'], { cwd: folder });
      await run('qemu-img', ['snapshot', '-c', 'before', 'image'], { cwd: folder });
      const verdict = inspect(new MemoryReader(await readFile(join(folder, 'image'))), 'DISK_FORMAT_QCOW2', limits);
      t.is(verdict.kind === 'refused' ? verdict.failure.metadata['check'] : 'accepted', 'qcow2.snapshots');
    });
  });

  test('a qcow2 with a bitmap is accepted with a warning', async (t) => {
    await inFolder(async (folder) => {
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', 'image', '1M'], { cwd: folder });
      await run('qemu-img', ['bitmap', '--add', 'image', 'changes'], { cwd: folder });
      const verdict = inspect(new MemoryReader(await readFile(join(folder, 'image'))), 'DISK_FORMAT_QCOW2', limits);
      t.deepEqual(verdict.kind === 'accepted' && verdict.warnings, ['qcow2.bitmaps']);
    });
  });

  test('the images that the builders make have the same size for qemu', async (t) => {
    await inFolder(async (folder) => {
      for (const { name, build, format, virtualSizeBytes } of goodImages) {
        await writeFile(join(folder, 'image'), build());
        t.is(await virtualSizeByQemu(folder, 'image', drivers[format] ?? ''), virtualSizeBytes, name);
      }
    });
  });

  test('the size of a VHD follows its creator as in qemu', async (t) => {
    await inFolder(async (folder) => {
      for (const creatorApp of ['vpc ', 'vs  ', 'qemu', 'qem2', 'win ', 'd2v ', 'tap\0', 'CTXS', 'vbox', '\0\0\0\0', 'abcd']) {
        const image = buildFixedVhd({ creatorApp }, mbr);
        await writeFile(join(folder, 'image'), image);
        const verdict = inspect(new MemoryReader(image), 'DISK_FORMAT_VHD', limits);
        t.is(verdict.kind === 'accepted' && verdict.virtualSizeBytes, await virtualSizeByQemu(folder, 'image', 'vpc'), creatorApp);
      }
    });
  });
}
