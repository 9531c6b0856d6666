import test from 'ava';

import { checkTable } from '../../src/formats/check-table.ts';
import { inspectHead } from '../../src/formats/inspect-head.ts';
import { inspect } from '../../src/formats/inspect.ts';
import { goodImages } from './build/good-images.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { randomNumbers } from './build/noise.ts';

const seed = Number(process.env['LEHR_TEST_SEED'] ?? 20_261_122);
const limits = { maxVirtualBytes: 64n * 1024n ** 4n };

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
