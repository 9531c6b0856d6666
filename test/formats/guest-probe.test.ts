import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import type { GuestContent } from '../../src/formats/content/guest-probe.ts';
import { GuestProbe } from '../../src/formats/content/guest-probe.ts';
import { checkNested } from '../../src/formats/content/nested-format.ts';
import { ImageRefusedError } from '../../src/formats/refuse.ts';
import { vhd } from '../../src/formats/vhd/vhd.ts';
import { vhdx } from '../../src/formats/vhdx/vhdx.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { badNested } from './build/bad-nested.ts';
import { changed, text, u16le, u32be, u32le, u8 } from './build/change.ts';
import type { Change } from './build/change.ts';
import { unsupportedSamples } from './build/foreign-samples.ts';
import { buildIso } from './build/iso.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { noise, randomNumbers } from './build/noise.ts';
import { buildQcow2 } from './build/qcow2.ts';
import { fileSystems, gptTable, mbrEntry } from './build/tables.ts';
import { vhdFooter } from './build/vhd.ts';
import { descriptorText } from './build/vmdk.ts';
import { materialise } from './materialise.ts';

const run = promisify(execFile);
const mebibyte = 2 ** 20;
const blockBytes = 64 * 1024;
const zeros = Buffer.alloc(8 * mebibyte);
const { ext4, fat, swap, btrfs, luks } = fileSystems;

/** The disk given as the server gives it: blocks of 64 KiB, without those of zeros. */
function probe(disk: Buffer, pieceBytes = blockBytes): GuestContent {
  const guest = new GuestProbe();
  for (let at = 0; at < disk.length; at += pieceBytes) {
    const piece = Buffer.from(disk.subarray(at, at + pieceBytes));
    if (!piece.equals(zeros.subarray(0, piece.length))) guest.take(at, piece);
    // Whoever gives the bytes uses the buffer again.
    piece.fill(0xdb);
  }
  return guest.finish(BigInt(disk.length));
}

const disk = (...changes: readonly Change[]): Buffer => changed(Buffer.alloc(4 * mebibyte), ...changes);
const sector = (number: number): number => number * 512;

const contents: readonly (readonly [name: string, disk: Buffer, facts: Readonly<Record<string, string>>])[] = [
  ['zeros', disk(), {}],
  ['noise', noise(mebibyte, 5), {}],
  ['a disk of one sector', Buffer.alloc(512, 'boot'), {}],
  ['a boot sector alone', disk(text(0, '\xfa'), text(510, '\x55\xaa')), { content: 'boot sector' }],
  ['a file system without partitions', disk(ext4(0)), { content: 'ext4', file_systems: 'ext4' }],
  ['a FAT whose boot record ends like a partition table', disk(fat(0)), { content: 'FAT', file_systems: 'FAT' }],
  [
    'a GPT with three partitions',
    disk(gptTable([40, 2048, 4096]), ext4(sector(40)), fat(sector(2048)), swap(sector(4096))),
    { content: 'GPT, 3 partitions, ext4, FAT, swap', partition_table: 'GPT', partitions: '3', file_systems: 'ext4, FAT, swap' },
  ],
  [
    'a GPT whose partitions hold the same, or nothing that is known',
    disk(gptTable([34, 2048, 4096, 6000]), btrfs(sector(34)), btrfs(sector(4096))),
    { content: 'GPT, 4 partitions, btrfs', partition_table: 'GPT', partitions: '4', file_systems: 'btrfs' },
  ],
  [
    'a GPT with an encrypted partition',
    disk(gptTable([2048]), luks(sector(2048))),
    { content: 'GPT, 1 partition, LUKS', partition_table: 'GPT', partitions: '1', file_systems: 'LUKS' },
  ],
  [
    'a GPT in sectors of 4096 bytes',
    disk(gptTable([256], { sectorBytes: 4096 }), ext4(mebibyte)),
    { content: 'GPT, 1 partition, ext4', partition_table: 'GPT', partitions: '1', file_systems: 'ext4' },
  ],
  ['a GPT without partitions', disk(gptTable([])), { content: 'GPT, 0 partitions', partition_table: 'GPT', partitions: '0' }],
  ['a GPT whose entries are far away', disk(gptTable([2048], { entriesAt: 4096 })), { content: 'GPT', partition_table: 'GPT' }],
  ['a GPT with a wrong header checksum', disk(gptTable([2048]), u8(512 + 40, 7)), { content: 'GPT (damaged)', partition_table: 'GPT (damaged)' }],
  ['a GPT with a wrong checksum of its entries', disk(gptTable([2048]), u8(1024 + 56, 7)), { content: 'GPT (damaged)', partition_table: 'GPT (damaged)' }],
  [
    'a GPT without a protective MBR',
    disk(gptTable([2048]), (image) => image.fill(0, 0, 512)),
    { content: 'GPT (no protective MBR), 1 partition', partition_table: 'GPT (no protective MBR)', partitions: '1' },
  ],
  [
    'a hybrid MBR beside a GPT',
    disk(gptTable([2048]), mbrEntry(0, 1, 0x83, 2048, 8)),
    { content: 'GPT (hybrid MBR), 1 partition', partition_table: 'GPT (hybrid MBR)', partitions: '1' },
  ],
  [
    'a GPT of which only the copy at the end is left',
    disk(mbrEntry(0, 0, 0xee, 1, 8191), text(4 * mebibyte - 512, 'EFI PART')),
    { content: 'GPT (backup alone), 1 partition', partition_table: 'GPT (backup alone)', partitions: '1' },
  ],
  [
    'an MBR with primary partitions',
    disk(mbrEntry(0, 0, 0x83, 63, 1000), mbrEntry(0, 1, 0x0c, 2048, 1000), ext4(sector(63)), fat(sector(2048))),
    { content: 'MBR, 2 partitions, ext4, FAT', partition_table: 'MBR', partitions: '2', file_systems: 'ext4, FAT' },
  ],
  [
    'an MBR with logical partitions, the first record in the first bytes and the next behind them',
    disk(
      mbrEntry(0, 0, 0x83, 8, 100),
      mbrEntry(0, 1, 0x0f, 128, 8000),
      mbrEntry(sector(128), 0, 0x83, 63, 100),
      mbrEntry(sector(128), 1, 0x05, 2000, 900),
      mbrEntry(sector(2128), 0, 0x82, 1, 100),
      ext4(sector(191)),
      swap(sector(2129)),
    ),
    { content: 'MBR, 3 partitions, ext4, swap', partition_table: 'MBR', partitions: '3', file_systems: 'ext4, swap' },
  ],
  [
    'an MBR whose logical partitions lead in a circle',
    disk(mbrEntry(0, 0, 0x05, 2048, 100), mbrEntry(sector(2048), 0, 0x83, 0, 100), mbrEntry(sector(2048), 1, 0x05, 0, 100)),
    { content: 'MBR, 1 partition', partition_table: 'MBR', partitions: '1' },
  ],
  [
    'an Apple partition map',
    disk(text(0, 'ER'), text(512, 'PM'), u32be(520, 1), text(1024, 'PM'), u32be(1032, 64), text(sector(64) + 1024, 'H+\0\x04')),
    { content: 'Apple partition map, 2 partitions, HFS+', partition_table: 'Apple partition map', partitions: '2', file_systems: 'HFS+' },
  ],
  [
    'a BSD disklabel',
    disk(u32be(512, 0x57455682), u16le(512 + 138, 2), u32le(512 + 148, 100), u32le(512 + 152, 64), u8(512 + 160, 7), fat(sector(64))),
    { content: 'BSD disklabel, 1 partition, FAT', partition_table: 'BSD disklabel', partitions: '1', file_systems: 'FAT' },
  ],
  ['a disc', buildIso(), { content: 'ISO 9660', file_systems: 'ISO 9660' }],
  [
    'an isohybrid',
    buildIso(mbrEntry(0, 0, 0x17, 0, 160)),
    { content: 'MBR, 1 partition, ISO 9660', partition_table: 'MBR', partitions: '1', file_systems: 'ISO 9660' },
  ],
  ['an LVM volume over the whole disk', disk(text(512, 'LABELONE')), { content: 'LVM2', file_systems: 'LVM2' }],
];

for (const [name, content, facts] of contents) {
  test(`the guest's disk holds ${name}`, (t) => {
    for (const pieceBytes of [blockBytes, 512, 200 * 512, 8 * mebibyte]) t.deepEqual(probe(content, pieceBytes), { facts }, `pieces of ${pieceBytes}`);
  });
}

test('a partition behind terabytes of zeros is recognised', (t) => {
  const start = 2 ** 34;
  const guest = new GuestProbe();
  guest.take(0, disk(gptTable([2048, start])).subarray(0, blockBytes));
  guest.take(start * 512, Buffer.from(changed(Buffer.alloc(blockBytes), ext4(0))));
  t.is(guest.finish(2n ** 50n).facts['content'], 'GPT, 2 partitions, ext4');
});

test('of very many partitions the first are looked into and all are counted', (t) => {
  const starts = Array.from({ length: 600 }, (_, index) => 4096 + index * 4);
  const magics = [ext4(sector(starts[127]!)), fat(sector(starts[128]!))];
  const content = changed(Buffer.alloc(8 * mebibyte), gptTable(starts, { entries: 600 }), ...magics);
  t.deepEqual(probe(content).facts, { content: 'GPT, 600 partitions, ext4', partition_table: 'GPT', partitions: '600', file_systems: 'ext4' });
});

const nested: readonly (readonly [name: string, disk: Buffer, offset: number])[] = [
  ['qcow2', disk((image) => void buildQcow2(3).copy(image)), 0],
  ['vmdk', disk(text(0, 'KDMV')), 0],
  ['vhdx', disk(text(0, 'vhdxfile')), 0],
  ['vdi', disk(u32le(0x40, 0xbeda107f)), 0x40],
  ['vhd', disk((image) => void vhdFooter({ diskType: 3 }).copy(image)), 0],
  ['vhd', disk((image) => void vhdFooter().copy(image, image.length - 512)), 4 * mebibyte - 512],
  ['VMDK descriptor without its data', disk(text(0, descriptorText('monolithicFlat'))), 0],
  ['Apple disk image (DMG)', disk(text(4 * mebibyte - 512, 'koly')), 4 * mebibyte - 512],
];

for (const [name, content, offset] of nested) {
  test(`a ${name} whose magic is at ${offset} is no guest's disk`, (t) => {
    for (const pieceBytes of [blockBytes, 512]) t.deepEqual(probe(content, pieceBytes).nested, { check: 'nested_format', name, offset });
  });
}

test('every format that is not accepted is found as the guest\'s disk too', (t) => {
  for (const { found, build } of unsupportedSamples) {
    t.is(probe(build()).nested?.name, found);
  }
});

test('LUKS over the whole disk is refused as what it is, and LUKS in a partition is none of the guest\'s formats', (t) => {
  t.deepEqual(probe(disk(luks(0))).nested, { check: 'luks.encryption', name: 'LUKS encrypted disk', offset: 0 });
  t.is(probe(disk(gptTable([2048]), luks(sector(2048)))).nested, undefined);
});

test('an image in a raw image or on a disc is judged elsewhere', (t) => {
  const found = { check: 'nested_format', name: 'qcow2', offset: 0 } as const;
  t.notThrows(() => checkNested('DISK_FORMAT_RAW', found));
  t.notThrows(() => checkNested('DISK_FORMAT_ISO', found));
  t.notThrows(() => checkNested('DISK_FORMAT_QCOW2', undefined));
  const error = t.throws(() => checkNested('DISK_FORMAT_QCOW2', found), { instanceOf: ImageRefusedError });
  t.deepEqual(error.failure.metadata, { check: 'nested_format', found: 'qcow2', offset: '0', value: 'qcow2' });
});

for (const { check, name, build } of badNested) {
  const image = build();
  const edges = { head: image.subarray(0, 512), tail: image.subarray(-512), sizeBytes: image.length };
  const format = [vhd, vhdx].find((candidate) => candidate.recognise(edges));
  if (!format) continue;
  test(`${check} refuses ${name}`, (t) => {
    const file = new MemoryReader(image);
    format.describe(file);
    const { nested: found } = probe(materialise(file, format.open(file)));
    const error = t.throws(() => checkNested(format.format, found), { instanceOf: ImageRefusedError });
    t.is(error.failure.metadata['check'], check);
  });
}

test('whatever the bytes are, nothing is thrown and facts are short and printable', (t) => {
  const next = randomNumbers(20_261_127);
  const sound = contents.map(([, content]) => content.subarray(0, 2 * mebibyte));
  for (let round = 0; round < 150; round += 1) {
    const content = Buffer.from(sound[next(sound.length)]!);
    for (let change = next(12); change >= 0; change -= 1) {
      const at = Math.min(content.length - 8, [0, 440, 512, 584, 1024, 65_536 + 440, 1_089_536 + 440][next(7)]! + next(80));
      content.fill([0, 1, 0x05, 0x0f, 0x55, 0x7f, 0xee, 0xff][next(8)]!, Math.max(0, at), Math.max(0, at) + 1 + next(8));
    }
    const { facts } = probe(content, 512 * (1 + next(900)));
    for (const [name, value] of Object.entries(facts)) t.regex(value, /^[ -~]{1,200}$/, name);
  }
});

if (hasTool('mkfs')) {
  const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  for (const [name, command] of [['ext2', 'mkfs.ext2'], ['ext3', 'mkfs.ext3'], ['ext4', 'mkfs.ext4'], ['swap', 'mkswap']] as const) {
    test(`what ${command} makes is recognised, alone and in a partition`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'lehr-mkfs-'));
      try {
        const path = join(folder, 'volume');
        await writeFile(path, Buffer.alloc(8 * mebibyte), { mode: 0o600 });
        await run(command, name === 'swap' ? [path] : ['-q', '-F', path], { env: { ...process.env, PATH } });
        const volume = await readFile(path);
        t.deepEqual(probe(volume), { facts: { content: name, file_systems: name } });
        const whole = Buffer.concat([changed(Buffer.alloc(mebibyte), gptTable([2048])), volume]);
        t.is(probe(whole).facts['content'], `GPT, 1 partition, ${name}`);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
}
