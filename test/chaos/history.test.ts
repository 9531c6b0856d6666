import test from 'ava';

import { Task } from '../../src/gen/lehr/v1/task.ts';
import { Refused } from '../acceptance/harness/refused.ts';
import type { Answer } from '../linearizability/operation.ts';
import { History } from './history.ts';
import { Ledger } from './ledger.ts';

const refusal = (code: string, reason?: string): Refused => new Refused({ code, reason, message: 'said so', metadata: {}, violations: [] });

const refusals: Readonly<Record<string, { readonly thrown: Refused; readonly answer: Answer; readonly breaks: readonly string[] }>> = {
  'a refusal is definite': {
    thrown: refusal('NOT_FOUND', 'TASK_EXPIRED'), answer: { kind: 'refused', reason: 'TASK_EXPIRED' }, breaks: [],
  },
  'a refusal without a reason is told by its code': {
    thrown: refusal('PERMISSION_DENIED'), answer: { kind: 'refused', reason: 'PERMISSION_DENIED' }, breaks: [],
  },
  'a node that does not know is unknown': {
    thrown: refusal('UNAVAILABLE', 'LOG_UNAVAILABLE'), answer: { kind: 'unknown', why: 'UNAVAILABLE LOG_UNAVAILABLE' }, breaks: [],
  },
  'an answer that is late is unknown': {
    thrown: refusal('DEADLINE_EXCEEDED'), answer: { kind: 'unknown', why: 'DEADLINE_EXCEEDED said so' }, breaks: [],
  },
  'a connection that breaks is unknown': {
    thrown: refusal('INTERNAL'), answer: { kind: 'unknown', why: 'INTERNAL said so' }, breaks: [],
  },
  'a fault of the server is unknown too, and breaks a rule': {
    thrown: refusal('INTERNAL', 'INTERNAL'), answer: { kind: 'unknown', why: 'INTERNAL INTERNAL' }, breaks: ['no call meets a fault of the server'],
  },
};

for (const [title, { thrown, answer, breaks }] of Object.entries(refusals)) {
  test(title, async (t) => {
    const ledger = new Ledger();
    const history = new History(ledger);
    const { operation } = await history.record('request', 'node-1', { kind: 'cancel', id: 'X' }, () => Promise.reject(thrown));
    t.deepEqual(operation.answer, answer);
    t.deepEqual(ledger.violations.map(({ rule }) => rule), breaks);
    t.deepEqual([...history.acknowledged], []);
  });
}

test('calls are kept by request in the order in which they began, and the newest token with its origin', async (t) => {
  const history = new History(new Ledger());
  const later = Promise.withResolvers<void>();
  const create = { kind: 'create', content: 'disk' } as const;
  const answer = (revision: bigint, readToken: string) => ({ task: Task.create({ id: 'X', state: 'STATE_PENDING', revision }), readToken });
  const slow = history.record('a', 'node-1', create, () => later.promise.then(() => answer(2n, 'two')));
  const quick = await history.record('a', 'node-2', create, async () => answer(1n, 'one'));
  await history.record('b', 'node-1', { kind: 'get', id: 'X', token: undefined }, async () => answer(1n, ''));
  t.is(history.acknowledged.get('a')?.readToken, 'one');
  later.resolve();
  const { operation } = await slow;
  t.deepEqual([...history.perRequest()].map((operations) => operations.map(({ number, node }) => `${number} ${node}`)), [['1 node-1', '2 node-2'], ['3 node-1']]);
  t.deepEqual([...history.acknowledged], [['a', { id: 'X', origin: { startMs: operation.startMs, revision: 2 }, readToken: 'two' }]]);
  t.true(operation.startMs <= quick.operation.startMs && operation.endMs >= quick.operation.endMs);
});
