import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { textOf } from './tables.ts';

const root = path.resolve(import.meta.dirname, '../..');
const records = readdirSync(path.join(root, 'docs/decisions')).sort();

/** A record is read in a minute. */
const longestRecord = 25;

test('decisions are numbered without gaps', (t) => {
  t.deepEqual(records.map((name) => Number(name.slice(0, 4))), records.map((_, index) => index + 1));
});

for (const name of records) {
  test(`${name} says context, options, outcome and consequence, briefly`, (t) => {
    const text = textOf(path.join('docs/decisions', name));
    t.regex(text, new RegExp(`^# ${name.slice(0, 4)}:? \\S`));
    t.deepEqual([...text.matchAll(/^(?:## |\*\*)(\w+)/gm)].map(([, heading]) => heading), ['Context', 'Options', 'Outcome', 'Consequence']);
    t.true(text.trimEnd().split('\n').length <= longestRecord);
  });

  test(`the files that ${name} names are there`, (t) => {
    const files = [...textOf(path.join('docs/decisions', name)).matchAll(/`((?:src|proto|scripts|test)\/[\w./-]+)`/g)].map(([, file = '']) => file);
    t.deepEqual(files.filter((file) => !existsSync(path.join(root, file))), []);
  });
}
