import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import { AuditQueue } from '../../../../src/log/kafka/audit/audit-queue.ts';

const quarter = 2_500_000;

test('whoever brings more than is taken waits until some was taken', async (t) => {
  const queue = new AuditQueue<number>();
  const told: string[] = [];
  for (const value of [1, 2, 3]) await queue.put(value, quarter);
  const held = queue.put(4, quarter).then(() => { told.push('room'); });
  await nextTurn();
  t.deepEqual(told, []);
  t.is(await queue.take(), 1);
  await held;
  t.deepEqual(told, ['room']);
  queue.end();
  t.deepEqual([await queue.take(), await queue.take(), await queue.take(), await queue.take()], [2, 3, 4, undefined]);
});

test('whoever takes waits for what is brought, and hears of the end only behind it', async (t) => {
  const queue = new AuditQueue<number>();
  const first = queue.take();
  await queue.put(1, 1);
  await queue.put(2, 1);
  const cause = new Error('over');
  queue.end(cause);
  queue.end(new Error('over again'));
  t.deepEqual([await first, await queue.take()], [1, 2]);
  t.is(await t.throwsAsync(queue.take()), cause);
});

test('at the end nobody waits for room any more', async (t) => {
  const queue = new AuditQueue<number>();
  const held = queue.put(1, 100 * quarter);
  queue.end();
  await t.notThrowsAsync(held);
  await t.notThrowsAsync(queue.put(2, 100 * quarter));
  t.deepEqual([await queue.take(), await queue.take()], [1, undefined]);
});
