import test from 'ava';

import { Ledger } from '../ledger.ts';
import type { PlannedFault } from './plan-faults.ts';
import { runFaults } from './run-faults.ts';
import type { Victim } from './victim.ts';

const never = new AbortController().signal;

function recording(name: string, told: string[]): Victim {
  return {
    name,
    strike: async (harm) => void told.push(`${harm} ${name}`),
    heal: async (harm) => void told.push(`heal ${name} after ${harm}`),
  };
}

const fault = (victim: string, lastsMs: number = 1): PlannedFault => ({ gapMs: 0, victim, harm: 'kill', lastsMs });

test('faults follow one another, each healed before the next', async (t) => {
  const told: string[] = [];
  const victims = new Map(['a', 'b'].map((name) => [name, recording(name, told)]));
  await runFaults([fault('a'), fault('b')], victims, new Set(), new Ledger(), never);
  t.deepEqual(told, ['kill a', 'heal a after kill', 'kill b', 'heal b after kill']);
});

test('a victim of another lane is left alone', async (t) => {
  const told: string[] = [];
  const victims = new Map(['a', 'b'].map((name) => [name, recording(name, told)]));
  await runFaults([fault('a'), fault('b')], victims, new Set(['a']), new Ledger(), never);
  t.deepEqual(told, ['kill b', 'heal b after kill']);
});

test('what was struck when the run ends is healed at once', async (t) => {
  const told: string[] = [];
  const ending = new AbortController();
  const striking = { ...recording('a', told), strike: async () => { told.push('struck'); ending.abort(); } };
  await runFaults([fault('a', 600_000), fault('a')], new Map([['a', striking]]), new Set(), new Ledger(), ending.signal);
  t.deepEqual(told, ['struck', 'heal a after kill']);
});

test('what cannot be struck is healed all the same', async (t) => {
  const told: string[] = [];
  const striking = { ...recording('a', told), strike: async () => { throw new Error('it resists'); } };
  await t.throwsAsync(runFaults([fault('a')], new Map([['a', striking]]), new Set(), new Ledger(), never), { message: 'it resists' });
  t.deepEqual(told, ['heal a after kill']);
});
