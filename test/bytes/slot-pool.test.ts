import test from 'ava';
import { SlotPool } from '../../src/bytes/slot-pool.ts';

test('slots are lent until none is left, and each only once', (t) => {
  const pool = new SlotPool(3);
  t.deepEqual([pool.tryTake(), pool.tryTake(), pool.tryTake()].sort(), [0, 1, 2]);
  t.is(pool.tryTake(), undefined);
  t.is(pool.freeCount, 0);
});

test('those who wait get slots in the order in which they came, and nobody overtakes them', (t) => {
  const pool = new SlotPool(1);
  const served: string[] = [];
  const waiter = (name: string): { take: (slot: number) => void } => ({ take: (slot) => void served.push(`${name} ${slot}`) });
  t.is(pool.tryTake(), 0);
  pool.wait(waiter('first'));
  pool.wait(waiter('second'));
  pool.give(0);
  t.is(pool.tryTake(), undefined);
  pool.give(0);
  t.deepEqual(served, ['first 0', 'second 0']);
  pool.give(0);
  t.is(pool.tryTake(), 0);
});

test('who has left the line gets nothing', (t) => {
  const pool = new SlotPool(1);
  const gone = { take: () => t.fail('it had left') };
  t.is(pool.tryTake(), 0);
  pool.wait(gone);
  pool.stopWaiting(gone);
  pool.give(0);
  t.deepEqual({ free: pool.freeCount, waiting: pool.waitingCount }, { free: 1, waiting: 0 });
});
