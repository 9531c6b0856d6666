import test from 'ava';

import { displayWidth, truncateText } from '../../../src/cli/output/display-width.ts';
import { escapeJson, escapeText } from '../../../src/cli/output/escape-text.ts';
import { formatBytes } from '../../../src/cli/output/format-bytes.ts';
import { formatAge, formatClock, formatDuration, formatTime } from '../../../src/cli/output/format-time.ts';
import { formatTable } from '../../../src/cli/output/table.ts';

const bytes: readonly (readonly [bigint, string])[] = [
  [0n, '0 B'], [1023n, '1023 B'], [1024n, '1.0 KiB'], [1_048_524n, '1023.9 KiB'], [1_048_575n, '1.0 MiB'],
  [1_288_490_188n, '1.2 GiB'], [2n ** 63n, '8.0 EiB'], [2n ** 64n - 1n, '16.0 EiB'],
];

for (const [count, text] of bytes) test(`${count} bytes are shown as ${text}`, (t) => t.is(formatBytes(count), text));

const now = new Date('2026-01-02T03:04:05Z');
const ages: readonly (readonly [seconds: number, text: string])[] = [
  [0, 'now'], [0.9, 'now'], [1, '1s ago'], [59, '59s ago'], [60, '1m ago'], [7_199, '1h ago'], [86_400, '1d ago'], [31_536_000, '1y ago'],
  [-1, 'in 1s'], [-172_800, 'in 2d'],
];

for (const [seconds, text] of ages) {
  test(`${seconds} seconds ago is shown as ${text}`, (t) => t.is(formatAge(new Date(now.getTime() - seconds * 1_000), now), text));
}

const clocks: readonly (readonly [seconds: number, text: string])[] = [
  [0, '0:00'], [7.2, '0:08'], [60, '1:00'], [3_599.5, '1:00:00'], [360_000, '100:00:00'], [-5, '0:00'],
];

for (const [seconds, text] of clocks) test(`${seconds} seconds on a clock are ${text}`, (t) => t.is(formatClock(seconds), text));

const durations: readonly (readonly [seconds: bigint, nanos: number, text: string])[] = [
  [0n, 2_031_392, '2ms'], [1n, 950_918_513, '1.95s'], [2n, 0, '2s'], [59n, 0, '59s'], [3_661n, 0, '1:01:01'],
];

for (const [seconds, nanos, text] of durations) {
  test(`${seconds} s and ${nanos} ns are shown as ${text}`, (t) => t.is(formatDuration({ seconds, nanos }), text));
}

test('times are RFC 3339 without a fraction of zero', (t) => {
  t.deepEqual([formatTime(now), formatTime(new Date(now.getTime() + 7))], ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.007Z']);
});

const hostile: readonly (readonly [text: string, shown: string])[] = [
  ['plain ä 日本 🙂', 'plain ä 日本 🙂'],
  ['\u001b[2J\u001b]0;x\u0007', '\\e[2J\\e]0;x\\u{7}'],
  ['a\nb\rc\td', 'a\\nb\\rc\\td'],
  ['\u009b31m\u007f\u0000', '\\u{9b}31m\\u{7f}\\u{0}'],
  ['\u202egpj.exe\u2066\u2028', '\\u{202e}gpj.exe\\u{2066}\\u{2028}'],
  ['\ud800', '\ufffd'],
];

for (const [text, shown] of hostile) test(`${JSON.stringify(text)} is printed as ${shown}`, (t) => t.is(escapeText(text), shown));

test('escaped JSON has the same value and nothing that a terminal obeys', (t) => {
  const value = { name: '\u009b31m\u202e\u2028\u007f', other: '\u001b' };
  const json = escapeJson(JSON.stringify(value));
  t.regex(json, /^[ -~]*$/);
  t.deepEqual(JSON.parse(json), value);
});

test('cells are counted as a terminal shows them', (t) => {
  t.deepEqual(['abc', '日本', 'e\u0301', '🙂', ''].map(displayWidth), [3, 4, 1, 2, 0]);
  t.deepEqual([truncateText('abcdef', 6), truncateText('abcdef', 5), truncateText('日本語', 5), truncateText('ab', 0)], ['abcdef', 'abcd…', '日本…', '']);
});

const columns = [
  { title: 'NAME', cell: (item: { name: string }) => item.name, maxWidth: 4 },
  { title: 'N', cell: (item: { n?: number }) => String(item.n ?? ''), isRight: true },
];

test('tables are aligned, cut on a terminal only, and end no line in spaces', (t) => {
  const items = [{ name: 'abcdef', n: 1 }, { name: 'x', n: 100 }, { name: '日' }];
  t.deepEqual(formatTable(columns, items, false), ['NAME      N', 'abcdef    1', 'x       100', '日']);
  t.deepEqual(formatTable(columns, items, true), ['NAME    N', 'abc…    1', 'x     100', '日']);
});
