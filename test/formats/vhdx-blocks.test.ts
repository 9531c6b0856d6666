import test from 'ava';

import type { Extent } from '../../src/formats/guest/extent.ts';
import { vhdx } from '../../src/formats/vhdx/vhdx.ts';
import { badVhdxTables } from './build/bad-vhdx.ts';
import { u32le, u64le } from './build/change.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { noise } from './build/noise.ts';
import { SparseReader } from './build/sparse-reader.ts';
import { buildVhdx, vhdxBlocksAt, vhdxTableAt } from './build/vhdx.ts';
import { checkTables } from './check-tables.ts';
import { materialise } from './materialise.ts';

const mebibyte = 2 ** 20;
const metadataAt = 64 * 1024;
const present = (offsetMebibytes: number): bigint => (BigInt(offsetMebibytes) << 20n) | 6n;
const valueAt = (place: number): readonly [number, (image: Buffer) => bigint] => [place, (image) => image.readBigUInt64LE(place)];

/** Where the refusal says that the fault is, if not in the first entry, and what stands there. */
const places: Readonly<Record<string, readonly [offset: number, value: (image: Buffer) => bigint]>> = {
  'the highest reserved bit of a block that is not there': valueAt(vhdxTableAt + 8),
  'a bitmap of sectors': valueAt(vhdxTableAt + 4096 * 8),
  'one block given out twice': valueAt(vhdxTableAt + 8),
  'two blocks that share a MiB': valueAt(vhdxTableAt + 8),
  'a block in the log': valueAt(vhdxTableAt + 8),
  'a block in the metadata': valueAt(vhdxTableAt + 8),
  'a block in its own table': valueAt(vhdxTableAt + 8),
};

for (const { check, name, build } of badVhdxTables) {
  test(`${check} refuses ${name}, and says where`, (t) => {
    const image = build();
    const [offset, value] = places[name] ?? valueAt(vhdxTableAt);
    t.deepEqual(checkTables(vhdx, new MemoryReader(image)), { check, offset: String(offset), value: String(value(image)) });
  });
}

const smallBlocks = u32le(metadataAt, mebibyte);
const walks: readonly (readonly [name: string, image: Buffer, extents: readonly Extent[]])[] = [
  ['an empty VHDX', buildVhdx(), [{ kind: 'zero', lengthBytes: 10 * mebibyte }]],
  [
    'a VHDX whose last block is cut off at the end of the disk',
    buildVhdx({ dataBytes: 10 * mebibyte, file: [u64le(vhdxTableAt, present(4)), u64le(vhdxTableAt + 8, present(12))] }),
    [{ kind: 'stored', lengthBytes: 10 * mebibyte, offset: vhdxBlocksAt }],
  ],
  [
    'a VHDX with blocks in all states',
    buildVhdx({
      dataBytes: 4 * mebibyte,
      metadata: [smallBlocks],
      file: [present(6), 0n, 1n, 2n, 3n | (5n << 20n), 5n, present(4), present(5), 0n, present(7)].map((entry, index) =>
        u64le(vhdxTableAt + index * 8, entry),
      ),
    }),
    [
      { kind: 'stored', lengthBytes: mebibyte, offset: 6 * mebibyte },
      { kind: 'zero', lengthBytes: 5 * mebibyte },
      { kind: 'stored', lengthBytes: 2 * mebibyte, offset: 4 * mebibyte },
      { kind: 'zero', lengthBytes: mebibyte },
      { kind: 'stored', lengthBytes: mebibyte, offset: 7 * mebibyte },
    ],
  ],
];

for (const [name, image, extents] of walks) {
  test(`the extents of ${name} are given in order`, (t) => {
    const file = new MemoryReader(image);
    t.deepEqual([...vhdx.open(file).walk()], extents);
    t.deepEqual(checkTables(vhdx, file), [extents.length]);
  });
}

test('the entry for a bitmap of sectors stands between those of blocks and is none of them', (t) => {
  const data = noise(mebibyte, 9);
  const image = buildVhdx({
    dataBytes: mebibyte,
    metadata: [smallBlocks, u64le(metadataAt + 16, 2n ** 32n + 2n ** 20n)],
    file: [u64le(vhdxTableAt + 4097 * 8, present(4)), (bytes) => void data.copy(bytes, vhdxBlocksAt)],
  });
  const extents = [...vhdx.open(new MemoryReader(image)).walk()];
  t.deepEqual(extents.at(-1), { kind: 'stored', lengthBytes: mebibyte, offset: vhdxBlocksAt });
  t.is(extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0), 2 ** 32 + mebibyte);
});

test('blocks larger than the disk give no more than the disk', (t) => {
  const data = noise(4096, 10);
  const image = buildVhdx({
    dataBytes: 8 * mebibyte,
    metadata: [u64le(metadataAt + 16, 4096n)],
    file: [u64le(vhdxTableAt, present(4)), (bytes) => void data.copy(bytes, vhdxBlocksAt)],
  });
  t.deepEqual(materialise(new MemoryReader(image), vhdx.open(new MemoryReader(image))), data);
});

test('the largest VHDX is gone through in pieces and needs no memory for its table', (t) => {
  const small = buildVhdx({
    metadata: [smallBlocks, u64le(metadataAt + 16, 2n ** 46n)],
    regions: [u32le(40, 513 * mebibyte), u64le(16 + 16, 4n * 2n ** 20n)],
  });
  const fileBytes = 2 ** 46;
  const entries = Buffer.alloc(16);
  const last = 4 * mebibyte + (2 ** 26 + 2 ** 14 - 2) * 8;
  entries.writeBigUInt64LE(present(2 ** 26 - 1), 0);
  const file = new SparseReader(fileBytes, [[0, small], [last, entries]]);
  const before = process.memoryUsage().rss;
  let lengthBytes = 0;
  let count = 0;
  let final: Extent | undefined;
  for (const extent of vhdx.open(file).walk()) {
    lengthBytes += extent.lengthBytes;
    count += 1;
    final = extent;
  }
  t.is(lengthBytes, 2 ** 46);
  t.true(count < 4.5e6, `${count} extents`);
  t.deepEqual(final, { kind: 'stored', lengthBytes: mebibyte, offset: fileBytes - mebibyte });
  t.true(file.mostAtOnce <= 2 ** 16, `read ${file.mostAtOnce} bytes at once`);
  t.true(process.memoryUsage().rss - before < 128 * mebibyte, `${process.memoryUsage().rss - before} bytes more`);
});
