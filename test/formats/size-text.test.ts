import test from 'ava';

import { sizeText } from '../../src/formats/content/size-text.ts';

const sizes: readonly (readonly [sizeBytes: number | bigint, text: string])[] = [
  [0, '0 bytes'],
  [1, '1 byte'],
  [1200, '1200 bytes'],
  [9999, '9999 bytes'],
  [10_000, '10 KB'],
  [41_234, '41 KB'],
  [999_999, '999 KB'],
  [1_000_000, '1 MB'],
  [3_250_000_000, '3.3 GB'],
  [64n * 1024n ** 4n, '70 TB'],
  [2n ** 64n - 1n, '18 EB'],
];

for (const [sizeBytes, text] of sizes) {
  test(`${sizeBytes} bytes read as ${text}`, (t) => {
    t.is(sizeText(sizeBytes), text);
  });
}
