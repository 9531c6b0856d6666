import test from 'ava';

import type { FormatInspector } from '../../src/formats/format-inspector.ts';
import { FileSpace } from '../../src/formats/guest/file-space.ts';
import { ImageRefusedError } from '../../src/formats/refuse.ts';
import { vhd } from '../../src/formats/vhd/vhd.ts';
import { vhdx } from '../../src/formats/vhdx/vhdx.ts';
import { changed, u32le } from './build/change.ts';
import type { Change } from './build/change.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { noise, randomNumbers } from './build/noise.ts';
import { buildBlockVhd, buildDynamicVhd } from './build/vhd.ts';
import { buildVhdx, vhdxTableAt } from './build/vhdx.ts';

const seed = 20_261_128;
const rounds = 1500;
const mebibyte = 2 ** 20;
const data = noise(4096, 8);
const sparse = Buffer.concat([data.subarray(0, 1024), Buffer.alloc(3072)]);

/** The whole judgement of an image. True: accepted, and all extents were sound. */
function judge(format: FormatInspector, image: Buffer): boolean {
  const file = new MemoryReader(image);
  try {
    const { virtualSizeBytes } = format.describe(file);
    const disk = format.open(file);
    for (const space of FileSpace.passes(file.sizeBytes, disk.unitBytes)) for (const _ of disk.walk(space));
    let at = 0;
    for (const extent of disk.walk()) {
      if (extent.lengthBytes <= 0) throw new Error(`an extent of ${extent.lengthBytes} bytes`);
      if (extent.kind === 'stored' && extent.offset + extent.lengthBytes > file.sizeBytes) throw new Error(`an extent outside the file, at ${at}`);
      at += extent.lengthBytes;
    }
    if (BigInt(at) !== virtualSizeBytes) throw new Error(`extents of ${at} bytes, a disk of ${virtualSizeBytes}`);
    return true;
  } catch (error) {
    if (error instanceof ImageRefusedError && 'offset' in error.failure.metadata && 'value' in error.failure.metadata) return false;
    throw error;
  }
}

/** Some bytes of a stretch of the image are given other values, the same ones however often it is applied. */
function disturbed(next: (limit: number) => number, from: number, lengthBytes: number): Change {
  const changes = Array.from({ length: 1 + next(3) }, () => {
    const at = from + next(lengthBytes);
    return { at, end: at + 1 + next(4), value: [0, 1, 2, 4, 6, 7, 0x0f, 0x16, 0x80, 0xff][next(10)]! };
  });
  return (image) => {
    for (const { at, end, value } of changes) image.fill(value, at, Math.min(end, image.length));
  };
}

const kinds: readonly (readonly [name: string, format: FormatInspector, build: (next: (limit: number) => number) => Buffer])[] = [
  ['tables of VHDs', vhd, (next) => changed(buildBlockVhd([{ data }, undefined, { data: sparse, bitmap: 0xc0 }, { data }]), disturbed(next, 1536, 16))],
  ['bitmaps of VHDs', vhd, (next) => changed(buildBlockVhd([{ data: sparse, bitmap: 0xc0 }, { data }]), disturbed(next, 2048, 512))],
  ['headers of VHDs', vhd, (next) => buildDynamicVhd({ currentSize: BigInt(next(2 ** 22)) }, disturbed(next, 8, 40))],
  [
    'tables of VHDX',
    vhdx,
    (next) => buildVhdx({ dataBytes: 4 * mebibyte, metadata: [u32le(64 * 1024, mebibyte)], file: [disturbed(next, vhdxTableAt, 80)] }),
  ],
  ['metadata of VHDX', vhdx, (next) => buildVhdx({ metadata: [disturbed(next, next(2) * 64 * 1024, 200)] })],
  ['headers of VHDX', vhdx, (next) => buildVhdx({ header: [disturbed(next, 16, 64)] })],
  ['region tables of VHDX', vhdx, (next) => buildVhdx({ regions: [disturbed(next, 8, 120)] })],
];

kinds.forEach(([name, format, build], kind) => {
  test(`altered ${name} are refused with a place, or give whole disks (seed ${seed + kind})`, (t) => {
    const next = randomNumbers(seed + kind);
    const outcomes = { accepted: 0, refused: 0 };
    for (let round = 0; round < (format === vhd ? rounds : rounds / 10); round += 1) {
      outcomes[judge(format, build(next)) ? 'accepted' : 'refused'] += 1;
    }
    t.true(outcomes.accepted > 0 && outcomes.refused > 0, JSON.stringify(outcomes));
  });
});
