import test from 'ava';
import type { TaskPlace, TaskQueries } from '../../projections/tasks/queries.ts';
import { offerLimit, Sweep, sweepEveryMs, type SweepDeps } from '../../src/jobs/sweep.ts';
import { VirtualClock } from './virtual-clock.ts';

const minuteMs = 60_000;

/** A sweep over `count` unfinished tasks, several of them of one millisecond. */
function bench(count: number, deps: Partial<SweepDeps> = {}) {
  const all = Array.from({ length: count }, (_, index): TaskPlace => ({ id: `t${index}`, createTimeMs: Math.trunc(index / 7) }));
  const tasks: Pick<TaskQueries, 'unfinished'> = {
    unfinished: (after, limit) => {
      const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after.id) + 1;
      return all.slice(from, from + limit);
    },
  };
  const clock = new VirtualClock();
  const offered: { readonly id: string; readonly occasion: string | undefined; readonly atMs: number }[] = [];
  const queue = { offer: (id: string, occasion?: string) => { offered.push({ id, occasion, atMs: clock.monotonicMs() }); } };
  const sweep = new Sweep({ tasks, queue, clock, ...deps });
  return { sweep, clock, offered, all, ids: () => offered.map(({ id }) => id) };
}

const regularly = (random: () => number) => ({ regular: { everyMs: sweepEveryMs, random } });

test('every unfinished task is offered once, on no occasion, whatever the number of pages', async (t) => {
  const { sweep, clock, offered, ids, all } = bench(2_500);
  sweep.start();
  await clock.pass(minuteMs);
  t.deepEqual(ids(), all.map(({ id }) => id));
  t.deepEqual(new Set(offered.map(({ occasion }) => occasion)), new Set([undefined]));
});

test('between two pages others get a turn', async (t) => {
  const { sweep, clock, offered } = bench(2_500);
  sweep.start();
  t.true(offered.length > 0 && offered.length <= 1_000);
  await clock.pass(minuteMs);
  t.true(new Set(offered.map(({ atMs }) => atMs)).size >= 3);
});

test('only tasks that are due are offered', async (t) => {
  const isDue = (id: string): boolean => id.endsWith('7');
  const { sweep, clock, ids, all } = bench(1_200, { isDue });
  sweep.start();
  await clock.pass(minuteMs);
  t.deepEqual(ids(), all.map(({ id }) => id).filter(isDue));
});

test('alone it sweeps at the start and when it is asked to', async (t) => {
  const { sweep, clock, ids } = bench(1);
  sweep.start();
  await clock.pass(60 * minuteMs);
  t.is(ids().length, 1);
  sweep.run();
  await clock.pass(60 * minuteMs);
  t.is(ids().length, 2);
});

test('in a cluster it sweeps every half minute, a quarter more or less', async (t) => {
  const draws = [0, 0.5, 0.999];
  const { sweep, clock, offered } = bench(1, regularly(() => draws.shift() ?? 0.5));
  sweep.start();
  await clock.pass(2 * minuteMs + 1);
  t.deepEqual(offered.map(({ atMs }) => atMs), [0, 22_500, 52_500, 89_985, 119_985]);
});

test('however often one is asked for while another runs, one follows', async (t) => {
  const { sweep, clock, ids } = bench(1_200);
  sweep.run();
  for (let asked = 0; asked < 5; asked += 1) sweep.run();
  await clock.pass(minuteMs);
  t.is(ids().length, 2_400);
  sweep.run();
  await clock.pass(minuteMs);
  t.is(ids().length, 3_600);
});

test('one that is asked for from within runs afterwards', async (t) => {
  let asked = 0;
  const { sweep, clock, ids } = bench(3, {
    isDue: () => {
      asked += 1;
      if (asked === 2) sweep.run();
      return true;
    },
  });
  sweep.run();
  t.is(ids().length, 3);
  await clock.pass(minuteMs);
  t.deepEqual(ids(), ['t0', 't1', 't2', 't0', 't1', 't2']);
});

test('a regular one offers so many at most, the oldest', async (t) => {
  const { sweep, clock, ids, all } = bench(offerLimit + 700, regularly(() => 0.5));
  sweep.start();
  await clock.pass(sweepEveryMs - 1);
  t.deepEqual(ids(), all.slice(0, offerLimit).map(({ id }) => id));
});

test('once stopped it offers nothing more', async (t) => {
  const { sweep, clock, offered } = bench(5_000, regularly(() => 0.5));
  sweep.start();
  sweep.stop();
  const before = offered.length;
  sweep.run();
  await clock.pass(10 * minuteMs);
  t.is(offered.length, before);
});
