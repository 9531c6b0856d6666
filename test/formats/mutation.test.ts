import test from 'ava';

import { checkTable } from '../../src/formats/check-table.ts';
import { headBytes, inspectHead } from '../../src/formats/inspect-head.ts';
import { inspect, inspectionReadLimitBytes } from '../../src/formats/inspect.ts';
import { badImages } from './build/bad-images.ts';
import { goodImages } from './build/good-images.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { randomNumbers } from './build/noise.ts';
import { buildDynamicVhd } from './build/vhd.ts';
import { buildVhdx } from './build/vhdx.ts';

const rounds = 4000;
const sealedRounds = 400;
const seed = Number(process.env['LEHR_TEST_SEED'] ?? 20_261_122);
const limits = { maxVirtualBytes: 64n * 1024n ** 4n };
const interestingBytes = [0, 1, 2, 0x7f, 0x80, 0xff];
/** Where formats keep their structures; mutations fall near these, since elsewhere is mostly nothing. */
const places = [0, 0x40, 512, 1024, 1536, 11_264, 32_768, 65_536, 131_072, 196_608, 262_144, 2_097_152, 2_162_688];

test(`mutated images never throw and never cost more than the bound (seed ${seed})`, (t) => {
  const next = randomNumbers(seed);
  const pool = [...goodImages, ...badImages].map(({ build }) => build()).filter((image) => image.length > 0);
  const declarations = ['DISK_FORMAT_UNSPECIFIED', 'DISK_FORMAT_RAW', 'DISK_FORMAT_QCOW2', 'DISK_FORMAT_VHD'] as const;
  const outcomes = { accepted: 0, refused: 0 };
  let mostRead = 0;
  for (let round = 0; round < rounds; round += 1) {
    const image = Buffer.from(pool[next(pool.length)]!);
    for (let change = next(4); change >= 0; change -= 1) {
      const place = next(3) === 0 ? image.length - 1 - next(Math.min(image.length, 1600)) : places[next(places.length)]! + next(300);
      const value = next(2) === 0 ? interestingBytes[next(interestingBytes.length)]! : next(256);
      image.fill(value, Math.min(place, image.length), Math.min(place + 1 + next(8), image.length));
    }
    const mutant = next(8) === 0 ? image.subarray(0, next(image.length + 1)) : image;
    const declared = declarations[next(declarations.length)]!;

    const reader = new MemoryReader(mutant);
    const verdict = inspect(reader, declared, limits, 'headers');
    const early = inspectHead(mutant.subarray(0, headBytes), declared);
    outcomes[verdict.kind] += 1;
    mostRead = Math.max(mostRead, reader.bytesRead);
    if (verdict.kind === 'refused' && !((verdict.failure.metadata['check'] ?? '') in checkTable)) {
      return t.fail(`round ${round}: ${JSON.stringify(verdict.failure)}`);
    }
    if (verdict.kind === 'accepted' && early) return t.fail(`round ${round}: the head was refused, the whole accepted: ${early.message}`);
  }
  t.true(mostRead <= inspectionReadLimitBytes, `read ${mostRead} bytes`);
  t.true(outcomes.accepted > rounds / 20 && outcomes.refused > rounds / 20, JSON.stringify(outcomes));
});

test('structures that were altered before their checksum was made never throw either', (t) => {
  const next = randomNumbers(seed + 2);
  const alter = (image: Buffer): void => {
    for (let change = next(3); change >= 0; change -= 1) {
      const base = image.length > 100_000 && next(2) === 0 ? 65_536 : 0;
      const at = base + next(Math.min(image.length - base, 200));
      image.fill(interestingBytes[next(interestingBytes.length)]!, at, at + 1 + next(8));
    }
  };
  const builders = [
    () => buildVhdx({ header: [alter] }),
    () => buildVhdx({ regions: [alter] }),
    () => buildVhdx({ metadata: [alter] }),
    () => buildDynamicVhd({ dataOffset: BigInt(next(4096)), currentSize: BigInt(next(2 ** 24)) }, alter),
  ];
  const outcomes = { accepted: 0, refused: 0 };
  for (let round = 0; round < sealedRounds; round += 1) {
    const image = builders[round % builders.length]!();
    const reader = new MemoryReader(image);
    const verdict = inspect(reader, 'DISK_FORMAT_UNSPECIFIED', limits);
    const early = inspectHead(image.subarray(0, headBytes), 'DISK_FORMAT_UNSPECIFIED');
    if (verdict.kind === 'accepted' && early) return t.fail(`round ${round}: the head was refused, the whole accepted: ${early.message}`);
    outcomes[verdict.kind] += 1;
    if (reader.bytesRead > inspectionReadLimitBytes) return t.fail(`round ${round}: read ${reader.bytesRead} bytes`);
  }
  t.true(outcomes.accepted > 0 && outcomes.refused > 0, JSON.stringify(outcomes));
});

test('noise and short content of every length never throw', (t) => {
  const next = randomNumbers(seed + 1);
  for (let length = 1; length <= 700; length += 1) {
    const content = Buffer.from(Array.from({ length }, () => next(256)));
    const verdict = inspect(new MemoryReader(content), 'DISK_FORMAT_UNSPECIFIED', limits);
    t.is(verdict.kind, length === 512 ? 'accepted' : 'refused', `length ${length}`);
  }
});

test('every prefix of every sound image is judged without an exception', (t) => {
  for (const { name, build } of goodImages) {
    const image = build();
    for (let length = 1; length < Math.min(image.length, 1200); length += 7) {
      const prefix = image.subarray(0, length);
      const verdict = inspect(new MemoryReader(prefix), 'DISK_FORMAT_UNSPECIFIED', limits);
      if (verdict.kind === 'accepted') t.is(inspectHead(prefix, 'DISK_FORMAT_UNSPECIFIED'), undefined, `${name}, ${length} bytes`);
      else t.true((verdict.failure.metadata['check'] ?? '') in checkTable, `${name}, ${length} bytes`);
    }
  }
});
