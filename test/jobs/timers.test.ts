import test from 'ava';
import { projections } from '../../projections/all.ts';
import { timerQueries, type Timer } from '../../projections/timers/queries.ts';
import { clusterSpreadMs, Timers } from '../../src/jobs/timers.ts';
import { openProjections } from '../../src/projector/open-projections.ts';
import { seededRandom } from '../domain/seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Timers over a real table that a test writes; firing one removes it, unless `keeps` says otherwise. */
function bench({ keeps = () => false, fails = () => false }: Partial<Record<'keeps' | 'fails', (taskId: string) => boolean>> = {}) {
  const db = openProjections(':memory:', projections);
  const clock = new VirtualClock();
  const startMs = clock.now().getTime();
  const fired: { readonly taskId: string; readonly wallMs: number; readonly atMs: number }[] = [];
  const insert = db.prepare('INSERT OR REPLACE INTO timers VALUES (?, ?, ?)');
  const remove = db.prepare('DELETE FROM timers WHERE task_id = ?');
  const timers = new Timers(timerQueries(db), clock, async ({ taskId }: Timer) => {
    fired.push({ taskId, wallMs: clock.now().getTime() - startMs, atMs: clock.monotonicMs() });
    if (fails(taskId)) throw new Error('the log cannot be written');
    if (!keeps(taskId)) remove.run(taskId);
  });
  return {
    clock, fired, timers,
    ids: () => fired.map(({ taskId }) => taskId),
    set: (taskId: string, dueInMs: number) => {
      insert.run(taskId, 'retry', startMs + dueInMs);
      timers.arm();
    },
  };
}

test('timers fire in the order of their times, and none before its time', async (t) => {
  const { clock, fired, set } = bench();
  const dueMs: Readonly<Record<string, number>> = { d: 5_000, a: 1_000, c: 3_000, b: 3_000, e: 30 * minuteMs };
  for (const [taskId, ms] of Object.entries(dueMs)) set(taskId, ms);
  await clock.pass(999);
  t.deepEqual(fired, []);
  await clock.pass(dayMs);
  t.deepEqual(fired.map(({ taskId, wallMs }) => [taskId, wallMs]), [['a', 1_000], ['b', 3_000], ['c', 3_000], ['d', 5_000], ['e', 30 * minuteMs]]);
});

test('what was due while nobody looked fires at once, however much it is', async (t) => {
  const { clock, ids, set } = bench();
  const many = Array.from({ length: 1_001 }, (_, index) => `t${String(index).padStart(4, '0')}`);
  for (const [index, taskId] of many.entries()) set(taskId, index - 5_000);
  await clock.pass(1);
  t.deepEqual(ids(), many);
});

test('an earlier timer that comes later fires first', async (t) => {
  const { clock, fired, set } = bench();
  set('late', 50_000);
  await clock.pass(10_000);
  set('early', 20_000);
  await clock.pass(dayMs);
  t.deepEqual(fired.map(({ taskId, wallMs }) => [taskId, wallMs]), [['early', 20_000], ['late', 50_000]]);
});

test('a timer may be further away than a delay can be long', async (t) => {
  const { clock, fired, set } = bench();
  set('far', 40 * dayMs);
  await clock.pass(41 * dayMs);
  t.deepEqual(fired.map(({ wallMs }) => wallMs), [40 * dayMs]);
  t.true(clock.longestDelayMs < 2 ** 31);
});

test('a clock that is set forward is noticed within a minute', async (t) => {
  const { clock, fired, set } = bench();
  set('a', dayMs);
  await clock.pass(30 * minuteMs + 1);
  clock.step(dayMs);
  await clock.pass(minuteMs);
  t.is(fired.length, 1);
});

test('a clock that is set back makes nothing fire before its time by the new clock', async (t) => {
  const { clock, fired, set } = bench();
  set('a', 10_000);
  await clock.pass(5_000);
  clock.step(-dayMs);
  await clock.pass(dayMs);
  t.deepEqual(fired, []);
  await clock.pass(minuteMs);
  t.is(fired.length, 1);
  t.true((fired[0]?.wallMs ?? 0) >= 10_000);
});

test('a timer set by a clock that was put back fires although later ones have fired', async (t) => {
  const { clock, ids, set } = bench();
  set('first', 50_000);
  await clock.pass(50_000);
  clock.step(-40_000);
  set('second', 11_000);
  await clock.pass(2 * minuteMs);
  t.deepEqual(ids(), ['first', 'second']);
});

test('a timer that has fired and is still there, its job lost, fires again after a minute', async (t) => {
  let lost = true;
  const { clock, fired, set } = bench({ keeps: () => lost });
  set('a', 1_000);
  await clock.pass(minuteMs - 1);
  t.is(fired.length, 1);
  await clock.pass(minuteMs + 1);
  t.is(fired.length, 2);
  lost = false;
  await clock.pass(10 * minuteMs);
  t.is(fired.length, 3);
});

test('it fires again also where the table changes all the time', async (t) => {
  const { clock, ids, set } = bench({ keeps: (taskId) => taskId === 'lost' });
  set('lost', 1_000);
  for (let round = 0; round < 60; round += 1) {
    await clock.pass(5_000);
    set('busy', dayMs + round);
  }
  const again = ids().filter((taskId) => taskId === 'lost').length;
  t.true(again >= 4 && again <= 6, `fired ${again} times in 5 minutes`);
});

test('a timer whose command failed is tried again every second until it succeeds, and holds up no other', async (t) => {
  let full = true;
  const { clock, fired, set } = bench({ fails: (taskId) => full && taskId === 'a' });
  set('a', 1_000);
  set('b', 1_000);
  set('c', 3_500);
  await clock.pass(4_500);
  full = false;
  await clock.pass(minuteMs);
  t.deepEqual(fired.filter(({ taskId }) => taskId === 'a').map(({ atMs }) => atMs), [1_000, 2_000, 3_000, 4_000, 5_000]);
  t.deepEqual(fired.filter(({ taskId }) => taskId !== 'a').map(({ taskId }) => taskId), ['b', 'c']);
});

test('once stopped nothing fires, and what fires is waited for', async (t) => {
  const { clock, fired, set, timers } = bench();
  set('a', 1_000);
  set('b', 2_000);
  await clock.pass(1_500);
  await timers.stop();
  timers.arm();
  await clock.pass(minuteMs);
  t.deepEqual(fired.map(({ taskId }) => taskId), ['a']);

  const db = openProjections(':memory:', projections);
  db.prepare('INSERT INTO timers VALUES (?, ?, ?)').run('slow', 'retry', 0);
  const slow = Promise.withResolvers<void>();
  const waiting = new Timers(timerQueries(db), clock, () => slow.promise);
  waiting.arm();
  await clock.pass(1);
  let stopped = false;
  const stopping = waiting.stop().then(() => { stopped = true; });
  await clock.pass(1);
  t.false(stopped);
  slow.resolve();
  await stopping;
  t.true(stopped);
});

test('nodes that wait for a random moment and look again fire each timer about once among them', async (t) => {
  const nodes = 3;
  const expiries = 100;
  const appliedAfterMs = 10;
  const db = openProjections(':memory:', projections);
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const startMs = clock.now().getTime();
  const fired: { readonly taskId: string; readonly lateMs: number }[] = [];
  const remove = db.prepare('DELETE FROM timers WHERE task_id = ?');
  const fire = async ({ taskId, dueTimeMs }: Timer): Promise<void> => {
    fired.push({ taskId, lateMs: clock.now().getTime() - dueTimeMs });
    // Until then the other nodes do not know.
    clock.schedule(appliedAfterMs, () => {
      remove.run(taskId);
      for (const timers of cluster) timers.arm();
    });
  };
  const cluster = Array.from({ length: nodes }, () => new Timers(timerQueries(db), clock, fire, { spreadMs: clusterSpreadMs, random }));
  const insert = db.prepare('INSERT INTO timers VALUES (?, ?, ?)');
  for (let index = 0; index < expiries; index += 1) insert.run(`t${index}`, 'expire', startMs + 1_000 + index * 2_000);
  for (const timers of cluster) timers.arm();
  await clock.pass(10 * minuteMs);
  t.is(new Set(fired.map(({ taskId }) => taskId)).size, expiries);
  t.true(fired.length < 1.1 * expiries, `fired ${fired.length} times`);
  t.true(fired.every(({ lateMs }) => lateMs >= 0 && lateMs <= clusterSpreadMs));
});
