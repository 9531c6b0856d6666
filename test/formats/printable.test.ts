import test from 'ava';

import { printable, quoteLimit } from '../../src/formats/reading/printable.ts';

const cases: readonly (readonly [text: string, expected: string])[] = [
  ['base.vmdk', 'base.vmdk'],
  ['  padded  ', 'padded'],
  ['\x1b[31mred\r\n', '?[31mred??'],
  ['Gr\u00f6\u00dfe\0', 'Gr??e?'],
  ['x'.repeat(quoteLimit), 'x'.repeat(quoteLimit)],
  ['x'.repeat(quoteLimit + 1), `${'x'.repeat(quoteLimit)}...`],
];

cases.forEach(([text, expected], index) => {
  test(`text out of an image is quoted without harm, case ${index + 1}`, (t) => {
    t.is(printable(text), expected);
  });
});
