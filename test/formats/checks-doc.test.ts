import { readFileSync } from 'node:fs';

import test from 'ava';

import { checkTable } from '../../src/formats/check-table.ts';
import { warningTable } from '../../src/formats/warning-table.ts';

const page = readFileSync(new URL('../../docs/reference/checks.md', import.meta.url), 'utf8');

/** The cells of each row of the table whose first heading is given. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const [, table = ''] = page.split(new RegExp(`^\\| ${heading} \\|.*\\n\\| ---.*\\n`, 'm'));
  const [rows = ''] = table.split('\n\n');
  return rows.trimEnd().split('\n').map((row) => row.split('|').slice(1, -1).map((cell) => cell.trim()));
}

test('the page has a row for each check, in the same order, with its reason and remedy', (t) => {
  const documented = rowsOf('Check').map(([name, reason, , , remedy]) => ({ name, reason, remedy }));
  const expected = Object.entries(checkTable).map(([name, { reason, remedy }]) => ({ name: `\`${name}\``, reason: `\`${reason}\``, remedy }));
  t.deepEqual(documented, expected);
});

test('the page has a row for each warning, in the same order', (t) => {
  t.deepEqual(rowsOf('Warning').map(([name]) => name), Object.keys(warningTable).map((name) => `\`${name}\``));
});

test('no cell of the page is empty', (t) => {
  for (const [heading, columns] of [['Check', 5], ['Warning', 3]] as const) {
    for (const row of rowsOf(heading)) {
      t.is(row.length, columns, row[0]);
      t.true(row.every((cell) => cell !== ''), row[0]);
    }
  }
});
