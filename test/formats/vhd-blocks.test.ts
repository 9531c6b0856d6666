import test from 'ava';

import type { Extent } from '../../src/formats/guest/extent.ts';
import { FileSpace } from '../../src/formats/guest/file-space.ts';
import { vhd } from '../../src/formats/vhd/vhd.ts';
import { badVhdTables } from './build/bad-vhd.ts';
import { u32be } from './build/change.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { noise } from './build/noise.ts';
import { SparseReader } from './build/sparse-reader.ts';
import { buildBlockVhd, buildDynamicVhd, buildFixedVhd, vhdFooter } from './build/vhd.ts';
import { checkTables } from './check-tables.ts';
import { materialise } from './materialise.ts';

const data = noise(4096, 3);
const kept = { data };

/** Where the refusal says that the fault is, and what stands there. */
const places: Readonly<Record<string, readonly [offset: number, value: string]>> = {
  'a block behind the end': [1536, '16777215'],
  'the last sector that an entry can name': [1536, '4294967294'],
  'a block that ends in the footer': [1544, '14'],
  'one block given out twice': [1544, '4'],
  'two blocks that share a sector': [1544, '12'],
  'a block in the footer copy': [1540, '0'],
  'a block in the dynamic header': [1540, '2'],
  'a block in the table': [1540, '3'],
  'a table in the dynamic header': [1024, 'block allocation table'],
  'data in a block of which nothing was written': [2560, badByte(0)],
  'data in a sector that was not written': [2560 + 4 * 512, badByte(4 * 512)],
};

function badByte(at: number): string {
  return String(noise(4096, 11)[at]);
}

for (const { check, name, build } of badVhdTables) {
  test(`${check} refuses ${name}, and says where`, (t) => {
    const [offset, value] = places[name] ?? [];
    t.deepEqual(checkTables(vhd, new MemoryReader(build())), { check, offset: String(offset), value });
  });
}

const walks: readonly (readonly [name: string, image: Buffer, extents: readonly Extent[]])[] = [
  ['a fixed VHD', buildFixedVhd(), [{ kind: 'stored', lengthBytes: 2 ** 20, offset: 0 }]],
  ['a fixed VHD that is smaller than its file', buildFixedVhd({ currentSize: 4096n }), [{ kind: 'stored', lengthBytes: 4096, offset: 0 }]],
  ['an empty dynamic VHD', buildDynamicVhd(), [{ kind: 'zero', lengthBytes: 2 ** 20 }]],
  [
    'a dynamic VHD with holes',
    buildBlockVhd([undefined, undefined, kept, undefined, kept]),
    [
      { kind: 'zero', lengthBytes: 8192 },
      { kind: 'stored', lengthBytes: 4096, offset: 2560 },
      { kind: 'zero', lengthBytes: 4096 },
      { kind: 'stored', lengthBytes: 4096, offset: 2560 + 4608 },
    ],
  ],
  ['a dynamic VHD whose blocks are in another order', swapped(), [{ kind: 'stored', lengthBytes: 4096, offset: 2560 + 4608 }, { kind: 'stored', lengthBytes: 4096, offset: 2560 }]],
];

function swapped(): Buffer {
  return buildBlockVhd([kept, kept], u32be(1536, 13), u32be(1540, 4));
}

for (const [name, image, extents] of walks) {
  test(`the extents of ${name} are given in order`, (t) => {
    const file = new MemoryReader(image);
    t.deepEqual([...vhd.open(file).walk()], extents);
    t.deepEqual(checkTables(vhd, file), [extents.length]);
  });
}

test('a sector without data may be unwritten, and one behind the end of the disk hold what it will', (t) => {
  const half = Buffer.concat([data.subarray(0, 2048), Buffer.alloc(2048)]);
  t.deepEqual(checkTables(vhd, new MemoryReader(buildBlockVhd([{ data: half, bitmap: 0xf0 }]))), [1]);
  const image = buildDynamicVhd({ currentSize: 1024n }, (header) => header.writeUInt32BE(4096, 32));
  image.writeUInt32BE(4, 1536);
  const withTail = Buffer.concat([image.subarray(0, 2048), Buffer.alloc(512, 0xc0), data, image.subarray(2048)]);
  t.deepEqual(checkTables(vhd, new MemoryReader(withTail)), [1]);
  t.deepEqual(materialise(new MemoryReader(withTail), vhd.open(new MemoryReader(withTail))), data.subarray(0, 1024));
});

test('entries beyond the end of the disk are judged too', (t) => {
  const image = buildDynamicVhd();
  image.writeUInt32BE(4, 1540);
  t.deepEqual(checkTables(vhd, new MemoryReader(image)), { check: 'vhd.block', offset: '1540', value: '4' });
});

test('the largest VHD is gone through in passes and pieces, and what is given out twice is found in each', (t) => {
  const sizeBytes = 2040 * 2 ** 30;
  const blocks = sizeBytes / 2 ** 21;
  const step = (512 + 2 ** 21) / 512;
  const entries = Buffer.alloc(blocks * 4, 0xff);
  for (let index = 0; index < 40; index += 1) entries.writeUInt32BE((index < 20 ? 2 ** 14 : 2 ** 23) + index * step, index * 4);
  const header = buildDynamicVhd({ currentSize: BigInt(sizeBytes) }, u32be(28, blocks)).subarray(0, 1536);
  const fileBytes = (2 ** 23 + 40 * step + 1) * 512;
  const footer = vhdFooter({ diskType: 3, currentSize: BigInt(sizeBytes) });
  const readerOf = (): SparseReader => new SparseReader(fileBytes, [[0, header], [1536, entries], [fileBytes - 512, footer]]);
  const sound = readerOf();
  const zeros = (16_384 - 40 + 62 * 16_384 + 12_288) / 8;
  t.deepEqual(checkTables(vhd, sound), [40 + zeros, 40 + zeros]);
  t.true(sound.mostAtOnce <= 2 ** 16, `read ${sound.mostAtOnce} bytes at once`);
  for (const index of [0, 39]) {
    const entry = entries.readUInt32BE(index * 4);
    entries.writeUInt32BE(entry, (blocks - 1) * 4);
    t.deepEqual(checkTables(vhd, readerOf()), { check: 'vhd.overlap', offset: String(1536 + (blocks - 1) * 4), value: String(entry) });
  }
});

test('one pass of many proves the bitmap of each block', (t) => {
  const [first, second] = [...FileSpace.passes(5 * 2 ** 30, 512)];
  t.deepEqual([0, 2 ** 32 - 512, 2 ** 32, 5 * 2 ** 30 - 512, 5 * 2 ** 30].map((offset) => [first!.holds(offset), second!.holds(offset)]), [
    [true, false],
    [true, false],
    [false, true],
    [false, true],
    [false, false],
  ]);
});
