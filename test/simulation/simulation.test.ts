import test from 'ava';
import { randomInt } from 'node:crypto';

import { parseSequence } from '../../src/log/record.ts';
import { describeReport } from './describe-report.ts';
import { simulateSeed } from './simulate-seed.ts';
import type { Judge } from './world.ts';

/** Each test runs so many seeds, so that a slow machine shows progress. */
const chunk = 20;

const freshBase = randomInt(2 ** 30, 2 ** 31);
const fixedBases = Array.from({ length: 3 }, (_, index) => 1 + index * chunk);

/** By the fixed seeds, since what a fresh one reaches is chance. */
const reached = new Set<string>();

for (const base of [...fixedBases, freshBase, freshBase + chunk]) {
  test.serial(`every invariant holds for seeds ${base} to ${base + chunk - 1}`, async (t) => {
    for (let seed = base; seed < base + chunk; seed += 1) {
      const report = await simulateSeed(seed);
      if (base < freshBase) for (const what of report.counts.keys()) reached.add(what);
      if (report.violation !== undefined) t.log(describeReport(report));
      t.is(report.violation, undefined, `seed ${seed}`);
    }
  });
}

test.serial('the simulation reaches what it is there for', (t) => {
  const wanted = [
    'append in an outage', 'append unknown', 'attemptFailed', 'attemptStarted', 'cancel acknowledged', 'cancel too late', 'cancelRequested',
    'clock step', 'clone of nothing', 'clone stored', 'clone stored of an image that was deleted meanwhile', 'crash', 'export delivered', 'export found what it had delivered', 'export withdrawn', 'heartbeats lost', 'imageDeleted', 'imageRegistered', 'imageStored', 'job lost', 'outage', 'pause', 'shutdown',
    'stage that does not listen', 'stageCompleted', 'stalled source', 'stored file removed', 'swept', 'take-over', 'taskCanceled',
    'taskCreated', 'taskExpired', 'taskFailed', 'taskSucceeded', 'void record',
  ];
  t.deepEqual(wanted.filter((what) => !reached.has(what)), []);
});

test.serial('the same seed gives the same run', async (t) => {
  const shape = ({ steps, virtualMs, trace }: Awaited<ReturnType<typeof simulateSeed>>) => ({ steps, virtualMs, trace });
  for (const seed of [7, 167, 175]) t.deepEqual(shape(await simulateSeed(seed)), shape(await simulateSeed(seed)));
});

const wrongRules: Readonly<Record<string, { readonly rule: Judge; readonly breaks: RegExp }>> = {
  'accepts what follows another predecessor': {
    rule: (head, headers) => (parseSequence(headers.ce_sequence) === head.revision + 1n ? 'accepted' : 'void'),
    breaks: /chain verifies|can follow the one before|terminal states|throws what it should not/,
  },
  'accepts a revision that is taken': {
    rule: (head, headers) => ((parseSequence(headers.ce_sequence) ?? 0n) <= head.revision + 1n ? 'accepted' : 'void'),
    breaks: /chain verifies|can follow the one before|terminal states|throws what it should not/,
  },
};

for (const [name, { rule, breaks }] of Object.entries(wrongRules)) {
  test.serial(`a log that ${name} is found out`, async (t) => {
    const found: string[] = [];
    for (let seed = 1; seed <= 20 && found.length === 0; seed += 1) {
      const { violation } = await simulateSeed(seed, { judge: rule });
      if (violation !== undefined) found.push(violation.invariant);
    }
    t.is(found.length, 1);
    t.regex(found[0] ?? '', breaks);
  });
}
