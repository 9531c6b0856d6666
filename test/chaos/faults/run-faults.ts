import { setTimeout as sleep } from 'node:timers/promises';

import type { Ledger } from '../ledger.ts';
import type { PlannedFault } from './plan-faults.ts';
import type { Victim } from './victim.ts';

/**
 * Does to the victims what is planned, one fault after another, until all are over or `ending` aborts. Whatever was struck is
 * healed when this resolves. A victim that another lane has struck is left alone: `struck` is shared by the lanes.
 */
export async function runFaults(
  plan: readonly PlannedFault[], victims: ReadonlyMap<string, Victim>, struck: Set<string>, ledger: Ledger, ending: AbortSignal,
): Promise<void> {
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal: ending }).catch(() => undefined);
  for (const { gapMs, victim: name, harm, lastsMs } of plan) {
    await wait(gapMs);
    if (ending.aborted) return;
    const victim = victims.get(name);
    if (victim === undefined) throw new RangeError(`there is no victim ${name}`);
    if (struck.has(name)) continue;
    struck.add(name);
    try {
      ledger.note(`${harm} ${name} for ${(lastsMs / 1_000).toFixed(1)} s`);
      ledger.count(`fault: ${harm} ${name.replace(/-\d+/g, '')}`);
      await victim.strike(harm);
      await wait(lastsMs);
    } finally {
      await victim.heal(harm);
      ledger.note(`${name} healed after ${harm}`);
      struck.delete(name);
    }
  }
}
