import test from 'ava';

import type { Extent } from '../../src/formats/guest/extent.ts';
import { inspect } from '../../src/formats/inspect.ts';
import { vmdk } from '../../src/formats/vmdk/vmdk.ts';
import { badVmdk } from './build/bad-vmdk.ts';
import { u32le, u64le } from './build/change.ts';
import type { Change } from './build/change.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { naiveGuestDigest } from './build/naive-guest-digest.ts';
import { buildFullSparseVmdk, buildFullStreamedVmdk, buildSparseVmdk, buildStreamedVmdk, guestDisk, sparsePlaces, streamPlaces } from './build/vmdk.ts';
import { judgeTables, materialise } from './materialise.ts';

const grainBytes = 65_536;
const limits = { maxVirtualBytes: 64n * 1024n ** 4n };
const { table, redundantTable, redundantDirectory, directory } = sparsePlaces;

const extentsOf = (image: Buffer): readonly Extent[] => [...vmdk.open(new MemoryReader(image)).walk()];
const stored = (grains: number, sector: number): Extent => ({ kind: 'stored', lengthBytes: grains * grainBytes, offset: sector * 512 });
const zero = (grains: number): Extent => ({ kind: 'zero', lengthBytes: grains * grainBytes });
const both = (slot: number, value: number): readonly Change[] => [u32le(table + slot * 4, value), u32le(redundantTable + slot * 4, value)];

test('grains that follow each other are one extent, and grains of zeros too', (t) => {
  t.deepEqual(extentsOf(buildFullSparseVmdk()), [stored(2, 128), zero(13), stored(1, 384)]);
  t.deepEqual(extentsOf(buildSparseVmdk()), [zero(16)]);
  t.deepEqual(extentsOf(buildSparseVmdk(u32le(directory, 0))), [zero(16)]);
});

test('a zero grain counts as one only where the header says that there are some', (t) => {
  t.deepEqual(extentsOf(buildFullSparseVmdk(u32le(8, 7), ...both(1, 1))), [stored(1, 128), zero(14), stored(1, 384)]);
});

test('the last grain ends with the disk', (t) => {
  const end = (sectors: number): Change => u64le(12, BigInt(sectors));
  t.deepEqual(extentsOf(buildFullSparseVmdk(end(2048 - 100))).at(-1), { kind: 'stored', lengthBytes: 28 * 512, offset: 384 * 512 });
  t.deepEqual(extentsOf(buildFullSparseVmdk(end(129))).at(-1), { kind: 'stored', lengthBytes: 129 * 512, offset: 128 * 512 });
  const cut = buildFullSparseVmdk(end(2048 - 100)).subarray(0, (384 + 28) * 512);
  t.is(inspect(new MemoryReader(cut), 'DISK_FORMAT_VMDK', limits).kind, 'accepted');
});

test('tables may have fewer entries than a sector holds', (t) => {
  const image = buildFullSparseVmdk(u32le(8, 1), u32le(44, 8), u32le(directory + 4, 30), u32le(30 * 512 + 28, 384));
  t.deepEqual(extentsOf(image), [stored(2, 128), zero(6), zero(7), stored(1, 384)]);
  t.notThrows(() => judgeTables(new MemoryReader(image), vmdk.open(new MemoryReader(image))));
});

test('a redundant directory or table that is the primary one is no contradiction', (t) => {
  for (const change of [u64le(48, BigInt(directory / 512)), u32le(redundantDirectory, table / 512), u32le(8, 1)]) {
    const reader = new MemoryReader(buildFullSparseVmdk(change));
    t.is(inspect(reader, 'DISK_FORMAT_VMDK', limits).kind, 'accepted');
  }
});

test('each grain of a stream is data in zlib behind its marker', (t) => {
  const image = buildFullStreamedVmdk();
  const [first, second, last] = streamPlaces.grains.map((start): Extent => ({
    kind: 'compressed',
    lengthBytes: grainBytes,
    offset: start + 12,
    storedBytes: image.readUInt32LE(start + 8),
    codec: 'zlib',
  }));
  t.deepEqual(extentsOf(image), [first!, second!, zero(13), last!]);
  t.deepEqual(extentsOf(buildStreamedVmdk()), [zero(16)]);
});

test('the guest reads the same from every kind', (t) => {
  const disk = guestDisk();
  const changes: readonly (readonly [build: (...changes: readonly Change[]) => Buffer, change: Change])[] = [
    [buildFullSparseVmdk, () => undefined],
    [buildFullStreamedVmdk, () => undefined],
    [buildFullStreamedVmdk, u64le(56, BigInt(streamPlaces.directory / 512))],
    [buildFullStreamedVmdk, (image) => { image.writeBigUInt64LE(2n ** 64n - 1n, 48); }],
  ];
  for (const [build, change] of changes) {
    const reader = new MemoryReader(build(change));
    t.true(materialise(reader, vmdk.open(reader)).equals(disk));
    const verdict = inspect(reader, 'DISK_FORMAT_VMDK', limits);
    t.is(verdict.kind === 'accepted' ? verdict.guestDigest : verdict.failure.message, naiveGuestDigest(disk));
  }
});

for (const { check, name, build } of badVmdk) {
  test(`${check} says where and what, for ${name}`, (t) => {
    const image = build();
    const verdict = inspect(new MemoryReader(image), 'DISK_FORMAT_VMDK', limits);
    const { offset, value = '' } = verdict.kind === 'refused' ? verdict.failure.metadata : {};
    t.regex(offset ?? '', /^\d{1,16}$/);
    t.true(Number(offset) <= image.length, offset);
    if (!name.startsWith('no ')) t.not(value, '');
  });
}
