import test from 'ava';

import { Random } from '../../simulation/random.ts';
import { longestFaultMs, planFaults } from './plan-faults.ts';
import type { Lane } from './plan-faults.ts';

const lane: Lane = {
  name: 'all', shortestGapMs: 1_000, longestGapMs: 5_000,
  victims: [{ name: 'node-1', harms: ['kill', 'stop', 'pause'] }, { name: 'nats', harms: ['kill', 'empty'] }, { name: 'link', harms: ['cut', 'hang'] }],
};

const anHourMs = 3_600_000;

test('the same seed gives the same faults, and another one gives others', (t) => {
  const draw = (seed: number): string => JSON.stringify(planFaults(new Random(seed), lane, anHourMs));
  t.is(draw(1), draw(1));
  t.not(draw(1), draw(2));
});

test('every fault ends within its bound and before the run does, and meets who it can meet', (t) => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const plan = planFaults(new Random(seed), lane, 120_000, 8_000);
    const totalMs = plan.reduce((sum, { gapMs, lastsMs }) => sum + gapMs + lastsMs, 0);
    t.true(totalMs <= 120_000);
    for (const { gapMs, victim, harm, lastsMs } of plan) {
      t.true(lastsMs <= 8_000, `${harm} lasts ${lastsMs} ms`);
      t.true(gapMs >= lane.shortestGapMs && gapMs <= lane.longestGapMs);
      t.true(lane.victims.some(({ name, harms }) => name === victim && harms.includes(harm)), `${harm} ${victim}`);
    }
  }
});

test('an hour has every harm, and pauses up to the bound', (t) => {
  const plan = planFaults(new Random(1), lane, anHourMs);
  t.deepEqual([...new Set(plan.map(({ harm }) => harm))].toSorted(), ['cut', 'empty', 'hang', 'kill', 'pause', 'stop']);
  const pauses = plan.filter(({ harm }) => harm === 'pause').map(({ lastsMs }) => lastsMs);
  t.true(Math.min(...pauses) < 6_000 && Math.max(...pauses) > 20_000 && Math.max(...pauses) <= longestFaultMs);
});
