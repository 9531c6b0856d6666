import test from 'ava';

import { createTapCounter } from '../../scripts/tap-counter.ts';
import type { Counts } from '../../scripts/tap-counter.ts';

const reports: readonly (readonly [title: string, lines: readonly string[], kinds: readonly string[], totals: Counts | undefined])[] = [
  [
    'a run in which all is well',
    ['TAP version 13', 'ok 1 - first', 'ok 2 - second', '', '1..2', '# tests 2', '# pass 2', '# fail 0'],
    ['other', 'passed', 'passed', 'other', 'other', 'other', 'other', 'other'],
    { passed: 2, failed: 0, skipped: 0 },
  ],
  [
    'a failure with its details, a blank line among them',
    ['not ok 1 - first', '  ---', '', '    message: wrong', '  ...', '# a remark', 'ok 2 - second', '# pass 1', '# fail 1'],
    ['failed', 'detail', 'detail', 'detail', 'detail', 'other', 'passed', 'other', 'other'],
    { passed: 1, failed: 1, skipped: 0 },
  ],
  [
    'a skipped test, and a crash that AVA counts although no test failed',
    ['ok 1 - first # SKIP', '# pass 0', '# skip 1', '# fail 1'],
    ['skipped', 'other', 'other', 'other'],
    { passed: 0, failed: 1, skipped: 1 },
  ],
  ['a report that breaks off', ['TAP version 13', 'ok 1 - first'], ['other', 'passed'], undefined],
];

for (const [title, lines, kinds, totals] of reports) {
  test(`counts ${title}`, (t) => {
    const counter = createTapCounter();
    t.deepEqual(
      lines.map((line) => counter.read(line).kind),
      kinds as ReturnType<typeof counter.read>['kind'][],
    );
    t.deepEqual(counter.totals(), totals);
  });
}
