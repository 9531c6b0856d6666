import test from 'ava';

import { crc32c } from '../../src/formats/reading/crc32c.ts';

const vectors: readonly (readonly [name: string, bytes: Buffer, expected: number])[] = [
  ['nothing', Buffer.alloc(0), 0],
  ['the check string of the catalogues', Buffer.from('123456789'), 0xe3069283],
  ['32 zeros (RFC 3720, B.4)', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones (RFC 3720, B.4)', Buffer.alloc(32, 0xff), 0x62a8ab43],
];

for (const [name, bytes, expected] of vectors) {
  test(`CRC-32C of ${name}`, (t) => {
    t.is(crc32c(bytes), expected);
  });
}

test('the field of the checksum itself counts as zeros', (t) => {
  const bytes = Buffer.alloc(32);
  bytes.fill(0xee, 4, 8);
  t.is(crc32c(bytes, 4), 0x8a9136aa);
});
