import test from 'ava';

import { buildQcow2 as buildPlainQcow2 } from '../../demo/build-qcow2.ts';
import { FailureError, failure } from '../../src/domain/failures.ts';
import type { ByteReader } from '../../src/formats/reading/byte-reader.ts';
import { headBytes, inspectHead } from '../../src/formats/inspect-head.ts';
import { inspect, inspectionReadLimitBytes } from '../../src/formats/inspect.ts';
import type { Verdict } from '../../src/formats/verdict.ts';
import { buildDynamicVhd, buildFixedVhd } from './build/vhd.ts';
import { buildSparseVmdk } from './build/vmdk.ts';
import { buildVdi } from './build/vdi.ts';
import { buildVhdx } from './build/vhdx.ts';
import { buildQcow2 } from './build/qcow2.ts';
import { buildRaw, mbr } from './build/raw.ts';
import { goodImages } from './build/good-images.ts';
import { MemoryReader } from './build/memory-reader.ts';

const limits = { maxVirtualBytes: 64n * 1024n ** 4n };

for (const { name, build, declared, ...description } of goodImages) {
  test(`accepts: ${name}`, (t) => {
    const image = build();
    const expected: Verdict = { kind: 'accepted', ...description, guestDigest: '' };
    for (const declaration of declared ? [declared] : ['DISK_FORMAT_UNSPECIFIED' as const, description.format]) {
      const reader = new MemoryReader(image);
      t.deepEqual(inspect(reader, declaration, limits, 'headers'), expected, declaration);
      t.true(reader.bytesRead <= inspectionReadLimitBytes);
      t.deepEqual(inspect(reader, declaration, limits, 'tables'), expected, declaration);
      t.is(inspectHead(image.subarray(0, headBytes), declaration), undefined, declaration);
    }
  });
}

test('a disk as large as the limit is accepted, and a larger one refused', (t) => {
  const reader = new MemoryReader(buildRaw(mbr));
  t.is(inspect(reader, 'DISK_FORMAT_RAW', { maxVirtualBytes: 1024n * 1024n }).kind, 'accepted');
  t.deepEqual(inspect(reader, 'DISK_FORMAT_RAW', { maxVirtualBytes: 1024n * 1024n - 1n }), {
    kind: 'refused',
    failure: failure(
      'IMAGE_UNSAFE',
      'The disk inside the image has 1048576 bytes, more than the 1048575 allowed. Shrink the disk, or ask the operator to raise `max-virtual-bytes`.',
      { check: 'virtual_size', offset: '0', value: '1048576', limit: '1048575' },
    ),
  });
});

/** Of each format: how the number of bytes or, for VMDK, of sectors stands where the failure points to. */
const sizeFields: readonly (readonly [string, () => Buffer, (image: Buffer, offset: number) => bigint])[] = [
  ['qcow2', () => buildQcow2(3), (image, offset) => image.readBigUInt64BE(offset)],
  ['vmdk', () => buildSparseVmdk(), (image, offset) => image.readBigUInt64LE(offset) * 512n],
  ['fixed vhd', () => buildFixedVhd(), (image, offset) => image.readBigUInt64BE(offset)],
  ['dynamic vhd', () => buildDynamicVhd(), (image, offset) => image.readBigUInt64BE(offset)],
  ['vhd by its geometry', () => buildFixedVhd({ creatorApp: 'vpc ' }), (image, offset) => BigInt(image.readUInt16BE(offset) * image[offset + 2]! * image[offset + 3]! * 512)],
  ['vhdx', () => buildVhdx(), (image, offset) => image.readBigUInt64LE(offset)],
  ['vdi', () => buildVdi(1), (image, offset) => image.readBigUInt64LE(offset)],
];

for (const [name, build, read] of sizeFields) {
  test(`a disk that is too large is refused with the place of the field that says so: ${name}`, (t) => {
    const image = build();
    const verdict = inspect(new MemoryReader(image), 'DISK_FORMAT_UNSPECIFIED', { maxVirtualBytes: 1n }, 'headers');
    if (verdict.kind === 'accepted') return t.fail('accepted');
    const { check, offset, value } = verdict.failure.metadata;
    t.is(check, 'virtual_size');
    t.is(read(image, Number(offset)), BigInt(value ?? ''));
  });
}

test('a failure of the reader passes through and is no verdict on the image', (t) => {
  const lost = new FailureError(failure('STORE_UNAVAILABLE', 'The disk is gone.'));
  const reader: ByteReader = {
    sizeBytes: 1024,
    read() {
      throw lost;
    },
  };
  t.is(t.throws(() => inspect(reader, 'DISK_FORMAT_RAW', limits)), lost);
});

test('a reader that ends early is a truncated image', (t) => {
  const image = buildQcow2(3).subarray(0, 40);
  const verdict = inspect({ sizeBytes: 65536, read: (offset, length) => image.subarray(offset, offset + length) }, 'DISK_FORMAT_QCOW2', limits);
  t.deepEqual(verdict.kind === 'refused' && verdict.failure.metadata, {
    check: 'truncated',
    structure: 'qcow2 header',
    bytes_found: '40',
    offset: '100',
    value: '0 of 4 bytes',
  });
});

test('a fixed VHD is not refused by its head, whose end alone tells it from a raw disk', (t) => {
  const head = buildFixedVhd().subarray(0, headBytes);
  t.is(inspectHead(head, 'DISK_FORMAT_VHD'), undefined);
  t.is(inspectHead(head, 'DISK_FORMAT_QCOW2')?.reason, 'REASON_FORMAT_MISMATCH');
});

test('a head may be longer than what is looked at', (t) => {
  t.is(inspectHead(buildFixedVhd(), 'DISK_FORMAT_VHD'), undefined);
});

test('the beginning of a disk is judged where its data are shorter than what is read at once', (t) => {
  const data = Buffer.alloc(500_000, 1);
  data.set(buildQcow2(3).subarray(0, 4096));
  const verdict = inspect(new MemoryReader(buildPlainQcow2(data, 8 * 2 ** 20)), 'DISK_FORMAT_UNSPECIFIED', { maxVirtualBytes: 2n ** 40n }, 'content');
  t.is(verdict.kind === 'refused' ? verdict.failure.metadata['check'] : 'accepted', 'nested_format');
});
