import test from 'ava';

import { Random } from '../simulation/random.ts';
import { findOrder } from './find-order.ts';
import { cancel, create, get, historyOf, shown, unknown } from './history-of.ts';
import type { Written } from './history-of.ts';
import type { Operation } from './operation.ts';
import { randomHistory } from './random-history.ts';

/** So many histories are drawn, from the seeds 1, 2, 3 … */
const histories = 2_000;

const draw = (seed: number): readonly Operation[] => {
  const random = new Random(seed);
  return randomHistory(random, random.between(1, 24));
};

test('whatever a task that is treated well shows has an order', (t) => {
  const failed = Array.from({ length: histories }, (_, index) => index + 1).filter((seed) => findOrder(draw(seed)) !== 'found');
  t.deepEqual(failed, []);
});

test('what a task can show no more, after a fresh answer, has no order', (t) => {
  let spoilt = 0;
  for (let seed = 1; seed <= histories; seed += 1) {
    const operations = draw(seed);
    const newest = operations.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0]!;
    if (revisionOf(newest) < 2) continue;
    const endMs = Math.max(...operations.map((operation) => operation.endMs));
    // A create answers with the task as it is, never as it was.
    const stale: Operation = { ...operations[0]!, call: create(), startMs: endMs + 1, endMs: endMs + 2, answer: shown('PENDING', 1) };
    t.is(findOrder([...operations, stale]), 'none', `seed ${seed}`);
    spoilt += 1;
  }
  t.true(spoilt > histories / 2);
});

test('a history of many operations without an answer is given up in time', (t) => {
  const lost = Array.from({ length: 40 }, (_, index): Written => (
    { at: [index, index + 1], call: index % 2 === 0 ? create(`content ${index}`) : cancel, answer: unknown }
  ));
  const operations = historyOf(
    ...lost, { at: [100, 101], call: get, answer: shown('SUCCEEDED', 12) }, { at: [102, 103], call: get, answer: shown('FAILED', 12) },
  );
  t.is(findOrder(operations, 1_000), 'too large');
});

function revisionOf({ answer }: Operation): number {
  return answer.kind === 'ok' ? answer.seen.revision : 0;
}
