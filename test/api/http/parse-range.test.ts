import test from 'ava';

import type { Range } from '../../../src/api/http/parse-range.ts';
import { parseRange } from '../../../src/api/http/parse-range.ts';

const all: Range = { kind: 'all' };
const unsatisfiable: Range = { kind: 'unsatisfiable' };
const part = (start: number, end: number): Range => ({ kind: 'part', start, end });

const cases: readonly (readonly [header: string | undefined, sizeBytes: number, range: Range])[] = [
  [undefined, 10, all],
  ['bytes=0-0', 10, part(0, 1)],
  ['bytes=2-4', 10, part(2, 5)],
  ['bytes=2-', 10, part(2, 10)],
  ['bytes=-3', 10, part(7, 10)],
  ['bytes=-99', 10, part(0, 10)],
  ['bytes=0-99', 10, part(0, 10)],
  ['bytes=9-9', 10, part(9, 10)],
  ['Bytes=2-4', 10, part(2, 5)],
  ['bytes=1-99999999999999999999999', 10, part(1, 10)],
  ['bytes=5000000000-5000000001', 6_000_000_000, part(5_000_000_000, 5_000_000_002)],
  ['bytes=10-', 10, unsatisfiable],
  ['bytes=99999999999999999999999-', 10, unsatisfiable],
  ['bytes=-0', 10, unsatisfiable],
  ['bytes=0-', 0, unsatisfiable],
  ['bytes=-5', 0, unsatisfiable],
  ['bytes=4-2', 10, all],
  ['bytes=0-1,4-5', 10, all],
  ['bytes=-', 10, all],
  ['bytes=', 10, all],
  ['bytes', 10, all],
  ['bytes=a-b', 10, all],
  ['bytes=0x1-2', 10, all],
  ['bytes=1.5-2', 10, all],
  ['bytes=--1', 10, all],
  ['items=0-1', 10, all],
];

for (const [header, sizeBytes, range] of cases) {
  test(`${header ?? 'no header'} of ${sizeBytes} bytes is ${JSON.stringify(range)}`, (t) => {
    t.deepEqual(parseRange(header, sizeBytes), range);
  });
}
