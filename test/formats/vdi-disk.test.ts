import test from 'ava';

import type { Extent } from '../../src/formats/guest/extent.ts';
import { inspect } from '../../src/formats/inspect.ts';
import { vdi } from '../../src/formats/vdi/vdi.ts';
import { badVdi } from './build/bad-vdi.ts';
import { u32le, u64le } from './build/change.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { naiveGuestDigest } from './build/naive-guest-digest.ts';
import { buildFullVdi, buildVdi, vdiGuestDisk } from './build/vdi.ts';
import { materialise } from './materialise.ts';

const mebibyte = 1024 * 1024;
const limits = { maxVirtualBytes: 64n * 1024n ** 4n };
const extentsOf = (image: Buffer): readonly Extent[] => [...vdi.open(new MemoryReader(image)).walk()];

test('blocks that follow each other are one extent, and what was never allocated or discarded is zeros', (t) => {
  t.deepEqual(extentsOf(buildFullVdi()), [
    { kind: 'stored', lengthBytes: 2 * mebibyte, offset: 1024 + mebibyte },
    { kind: 'zero', lengthBytes: 2 * mebibyte },
    { kind: 'stored', lengthBytes: mebibyte / 2, offset: 1024 },
  ]);
  t.deepEqual(extentsOf(buildVdi(1)), [{ kind: 'zero', lengthBytes: 2 * mebibyte }]);
  t.deepEqual(extentsOf(buildVdi(2)), [{ kind: 'stored', lengthBytes: 2 * mebibyte, offset: 1024 }]);
});

test('the guest reads its disk', (t) => {
  const reader = new MemoryReader(buildFullVdi());
  t.true(materialise(reader, vdi.open(reader)).equals(vdiGuestDisk()));
  const verdict = inspect(reader, 'DISK_FORMAT_VDI', limits);
  t.is(verdict.kind === 'accepted' ? verdict.guestDigest : verdict.failure.message, naiveGuestDigest(vdiGuestDisk()));
});

test('a disk of no whole number of sectors is rounded up', (t) => {
  t.deepEqual(extentsOf(buildVdi(2, u64le(0x170, 1000n))), [{ kind: 'stored', lengthBytes: 1024, offset: 1024 }]);
});

test('entries behind the end of the disk are nobody\'s', (t) => {
  const image = buildVdi(2, u64le(0x170, 512n), u32le(0x184, 1), u32le(516, 77));
  t.is(inspect(new MemoryReader(image), 'DISK_FORMAT_VDI', limits).kind, 'accepted');
});

test('what the guest does not see of its last block may be missing', (t) => {
  const image = buildVdi(2, u64le(0x170, BigInt(mebibyte + 512)));
  t.is(inspect(new MemoryReader(image.subarray(0, 1024 + mebibyte + 512)), 'DISK_FORMAT_VDI', limits).kind, 'accepted');
});

test('places are accounted for in the largest unit that they allow', (t) => {
  const unit = (table: number, data: number): number => {
    const image = buildVdi(1, u32le(0x154, table), u32le(0x158, data));
    return vdi.open(new MemoryReader(Buffer.concat([image, Buffer.alloc(mebibyte)]))).unitBytes;
  };
  t.is(unit(512, 1024), 512);
  t.is(unit(4096, 8192), 4096);
  t.is(unit(mebibyte, 2 * mebibyte), mebibyte);
  t.is(unit(mebibyte, 0x8000_0000), mebibyte);
});

for (const { check, name, build } of badVdi) {
  test(`${check} says where and what, for ${name}`, (t) => {
    const image = build();
    const verdict = inspect(new MemoryReader(image), 'DISK_FORMAT_VDI', limits);
    const { offset, value = '' } = verdict.kind === 'refused' ? verdict.failure.metadata : {};
    t.regex(offset ?? '', /^\d{1,16}$/);
    t.true(Number(offset) <= image.length, offset);
    t.not(value, '');
  });
}
