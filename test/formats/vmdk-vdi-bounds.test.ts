import test from 'ava';

import type { FormatInspector } from '../../src/formats/format-inspector.ts';
import { ImageRefusedError } from '../../src/formats/refuse.ts';
import { vdi } from '../../src/formats/vdi/vdi.ts';
import { vmdk } from '../../src/formats/vmdk/vmdk.ts';
import { u32le, u64le } from './build/change.ts';
import { SparseReader } from './build/sparse-reader.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { randomNumbers } from './build/noise.ts';
import { buildFullVdi, buildVdi } from './build/vdi.ts';
import { buildFullSparseVmdk, buildFullStreamedVmdk, buildSparseVmdk, buildStreamedVmdk } from './build/vmdk.ts';
import { judgeTables } from './materialise.ts';

const seed = Number(process.env['LEHR_TEST_SEED'] ?? 20_261_122);
const rounds = 3000;
const pieceLimitBytes = 64 * 1024;
const tebibyte = 2 ** 40;

const refusalOf = (work: () => void): Readonly<Record<string, string>> => {
  try {
    work();
  } catch (error) {
    if (error instanceof ImageRefusedError) return error.failure.metadata;
    throw error;
  }
  return {};
};

test('an empty VMDK of 64 TiB is walked in pieces', (t) => {
  const head = buildSparseVmdk(u64le(12, BigInt((64 * tebibyte) / 512))).subarray(0, 128 * 512);
  head.fill(0, 21 * 512);
  const file = new SparseReader(16 * 2 ** 20, [[0, head]]);
  let guestBytes = 0;
  for (const { lengthBytes } of vmdk.open(file).walk()) guestBytes += lengthBytes;
  t.is(guestBytes, 64 * tebibyte);
  t.is(file.mostAtOnce, pieceLimitBytes);
});

test('the largest directory that is taken is walked in pieces', (t) => {
  const entries = 32 * 1024 * 1024;
  const head = buildSparseVmdk(u32le(44, 1), u64le(20, 0x20_0000n), u64le(12, BigInt(entries) * 0x20_0000n)).subarray(0, 21 * 512);
  const file = new SparseReader(256 * 2 ** 20, [[0, head]]);
  const disk = vmdk.open(file);
  t.is(disk.sizeBytes, 2n ** 55n);
  let extents = 0;
  for (const { kind, lengthBytes } of disk.walk()) {
    if (kind !== 'zero' || lengthBytes !== 2 ** 30) return t.fail(`${kind} ${lengthBytes}`);
    extents += 1;
    if (extents === 100_000) break;
  }
  t.is(extents, 100_000);
  t.is(file.mostAtOnce, pieceLimitBytes);
});

test('a VDI of a petabyte is walked in pieces', (t) => {
  const head = buildVdi(1, u32le(0x180, 0x3fff_ff00), u64le(0x170, 2n ** 50n - 2n ** 28n), u32le(0x158, 0xffff_fe00)).subarray(0, 512);
  const table = Buffer.alloc(128 * 1024, 0xff);
  const file = new SparseReader(2 ** 33, [[0, head], [512, table]]);
  const walk = vdi.open(file).walk();
  let guestBytes = 0;
  for (const extent of walk) {
    guestBytes += extent.lengthBytes;
    if (guestBytes >= 16 * 2 ** 30) break;
  }
  t.is(guestBytes, 16 * 2 ** 30);
  t.is(file.mostAtOnce, pieceLimitBytes);
});

test('what is given out twice is found beyond the first window of a large file too', (t) => {
  const grain = 5 * 2 ** 30;
  const image = buildFullSparseVmdk(u32le(8, 1), u32le(22 * 512 + 8, grain / 512), u32le(22 * 512 + 12, grain / 512 + 127));
  const sparse = new SparseReader(6 * 2 ** 30, [[0, image]]);
  t.like(refusalOf(() => judgeTables(sparse, vmdk.open(sparse))), { check: 'vmdk.overlap', offset: String(22 * 512 + 12), value: String(grain / 512 + 127) });
  const disk = buildFullVdi(u32le(0x180, 8000), u32le(0x184, 6000), u32le(0x158, 32_768), u32le(512, 5000), u32le(516, 5000));
  const blocks = new SparseReader(8 * 2 ** 30, [[0, disk]]);
  t.like(refusalOf(() => judgeTables(blocks, vdi.open(blocks))), { check: 'vdi.overlap', offset: '516', value: '5000' });
});

test('a grain across the border of two windows is accounted for in both', (t) => {
  const border = 4 * 2 ** 30;
  const start = border - 1024;
  const marker = (sector: number, lengthBytes: number): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeBigUInt64LE(BigInt(sector));
    bytes.writeUInt32LE(lengthBytes, 8);
    return bytes;
  };
  const full = buildFullStreamedVmdk();
  const { table, directory } = { table: 22 * 512, directory: 21 * 512 };
  const image = Buffer.concat([full.subarray(0, directory), Buffer.alloc(107 * 512)]);
  u64le(56, 21n)(image);
  u32le(directory, 22)(image);
  u32le(table, start / 512)(image);
  u32le(table + 4, border / 512 + 1)(image);
  const file = new SparseReader(6 * 2 ** 30, [[0, image], [start, marker(0, 4000)], [border + 512, marker(128, 100)]]);
  t.like(refusalOf(() => judgeTables(file, vmdk.open(file))), { check: 'vmdk.overlap', value: String(border / 512 + 1) });
});

test('the markers of a large stream are read once by all passes together', (t) => {
  const full = buildFullStreamedVmdk(u64le(56, 0n));
  const image = Buffer.concat([full.subarray(0, 21 * 512), Buffer.alloc(107 * 512)]);
  u64le(56, 21n)(image);
  u32le(21 * 512, 22)(image);
  const markers = Array.from({ length: 16 }, (_, grain): readonly [number, Buffer] => {
    const start = (grain + 1) * 2 ** 30;
    u32le(22 * 512 + grain * 4, start / 512)(image);
    const marker = Buffer.alloc(12);
    marker.writeBigUInt64LE(BigInt(grain * 128));
    marker.writeUInt32LE(100, 8);
    return [start, marker];
  });
  const file = new SparseReader(20 * 2 ** 30, [[0, image], ...markers]);
  const disk = vmdk.open(file);
  file.reads = 0;
  judgeTables(file, disk);
  t.is(file.reads, 5 * 2 + 16);
});

test(`mutated tables never throw, never lead outside the file and always end (seed ${seed})`, (t) => {
  const next = randomNumbers(seed + 7);
  const builders: readonly (readonly [FormatInspector, () => Buffer])[] = [
    [vmdk, () => buildFullSparseVmdk()],
    [vmdk, () => buildFullStreamedVmdk()],
    [vmdk, () => buildFullStreamedVmdk(u64le(56, 1000n))],
    [vmdk, () => buildStreamedVmdk()],
    [vdi, () => buildFullVdi()],
  ];
  const pool = builders.map(([format, build]) => [format, build()] as const);
  const values = [0, 1, 2, 21, 22, 23, 128, 129, 255, 383, 384, 0xff, 0xffff_fffe, 0xffff_ffff, 0x7fff_ffff];
  const outcomes: Record<string, number> = {};
  for (let round = 0; round < rounds; round += 1) {
    const [format, original] = pool[next(pool.length)]!;
    const image = Buffer.from(original);
    for (let change = next(3); change >= 0; change -= 1) {
      const ofVmdk = [next(80), 21 * 512 + next(1300) * 4, image.length - 4 - next(2000) * 4];
      const places = format === vdi ? [512 + next(5) * 4, 0x154 + next(14) * 4] : ofVmdk;
      const place = places[next(places.length)]!;
      image.writeUInt32LE(values[next(values.length)]!, Math.max(0, Math.min(place, image.length - 4)));
    }
    const file = new MemoryReader(next(6) === 0 ? image.subarray(0, next(image.length)) : image);
    let guestBytes = 0;
    let sizeBytes = 0;
    const outcome = refusalOf(() => {
      format.describe(file);
      const disk = format.open(file);
      if (disk.sizeBytes > BigInt(tebibyte)) return;
      sizeBytes = Number(disk.sizeBytes);
      judgeTables(file, disk);
      for (const extent of disk.walk()) {
        guestBytes += extent.lengthBytes;
        if (extent.kind === 'zero') continue;
        const end = extent.offset + (extent.kind === 'stored' ? extent.lengthBytes : extent.storedBytes);
        if (extent.offset < 0 || end > file.sizeBytes) throw new Error(`round ${round}: ${JSON.stringify(extent)}`);
      }
    })['check'] ?? 'accepted';
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (outcome === 'accepted' && guestBytes !== sizeBytes) return t.fail(`round ${round}: ${guestBytes} of ${sizeBytes}`);
  }
  const seen = Object.keys(outcomes);
  const ofGrains = ['vmdk.overlap', 'vmdk.marker', 'vmdk.grain_entry', 'vmdk.grain_table', 'vmdk.redundant_tables'];
  for (const check of ['accepted', ...ofGrains, 'vdi.overlap', 'vdi.block_entry']) {
    t.true(seen.includes(check), `${check}: ${JSON.stringify(outcomes)}`);
  }
});
