import test from 'ava';
import { decodeCanonical, hashCanonical } from '../../../src/log/canonical.ts';
import type { AppendOutcome } from '../../../src/log/event-log.ts';
import { emptyHead, type Head } from '../../../src/log/head.ts';
import { PendingAppends, placeOf } from '../../../src/log/kafka/pending-appends.ts';
import { TaskChain } from '../../contract/task-chain.ts';

/** An append of the record that would be revision 3 of a stream, and what became of it. */
function waiting() {
  const chain = new TaskChain();
  for (let revision = 1; revision <= 2; revision += 1) chain.advance(chain.candidate());
  const canonical = chain.candidate();
  const hash = hashCanonical(canonical);
  const pending = new PendingAppends();
  const outcomes: AppendOutcome[] = [];
  const append = {
    record: decodeCanonical(canonical), sizeBytes: canonical.length, hash, deadlineMs: 1_000,
    settle: (outcome: AppendOutcome) => { outcomes.push(outcome); },
  };
  pending.add(append);
  return { pending, append, outcomes, hash, subject: chain.subject };
}

const other = 'f'.repeat(64);
const place = placeOf(4, 17n);

const heads: readonly (readonly [title: string, head: (own: string) => Head, accepted: boolean, outcome: AppendOutcome['kind'] | undefined])[] = [
  ['the own record is accepted', (own) => ({ revision: 3n, hash: own }), true, 'accepted'],
  ['another record took its place', () => ({ revision: 3n, hash: other }), true, 'superseded'],
  ['the stream went on past its revision', () => ({ revision: 5n, hash: other }), true, 'superseded'],
  ['the head is not at its revision yet', () => ({ revision: 2n, hash: other }), true, undefined],
  ['there is no head yet', () => emptyHead, false, undefined],
  ['a copy came back void below its revision: it was read too early', () => ({ revision: 2n, hash: other }), false, undefined],
  ['a copy came back void and the head is another record of its revision', () => ({ revision: 3n, hash: other }), false, 'superseded'],
  ['a copy came back void of what was accepted before it was asked for', (own) => ({ revision: 3n, hash: own }), false, 'superseded'],
];

for (const [title, head, accepted, expected] of heads) {
  test(`an append where ${title} is ${expected ?? 'still open'}`, (t) => {
    const { pending, outcomes, hash, subject } = waiting();
    pending.onHead(subject, head(hash), accepted ? place : undefined);
    t.deepEqual(outcomes.map(({ kind }) => kind), expected === undefined ? [] : [expected]);
    t.is(pending.count, expected === undefined ? 1 : 0);
    if (expected === 'accepted') t.deepEqual(outcomes, [{ kind: 'accepted', position: place }]);
    pending.onHead('tasks/another', { revision: 9n, hash: other }, place);
    t.is(pending.isAwaited(subject), expected === undefined);
  });
}

test('an append is settled once, and at its deadline at the latest', (t) => {
  const { pending, append, outcomes } = waiting();
  const cause = new Error('late');
  pending.expire(999, cause);
  t.deepEqual(outcomes, []);
  pending.expire(1_000, cause);
  pending.settle(append, { kind: 'superseded' });
  t.deepEqual(outcomes, [{ kind: 'unknown', cause }]);
});
