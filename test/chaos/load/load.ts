import { setTimeout as sleep } from 'node:timers/promises';

import type { Random } from '../../simulation/random.ts';
import { Owner } from './owner.ts';
import type { OwnerDeps } from './owner.ts';
import { planTask } from './plan-task.ts';

/** Owners that are at work at once; while there are so many, no new task is asked for. */
const ownerLimit = 150;

/** Asks for tasks at a steady rate until `ending` aborts; resolves when their owners have done all that they wanted. */
export async function runLoad(deps: OwnerDeps, random: Random, tasksPerSecond: number, ending: AbortSignal): Promise<void> {
  const atWork = new Set<Promise<void>>();
  for (let index = 1; !ending.aborted; index += 1) {
    const plan = planTask(random, index);
    if (atWork.size < ownerLimit) {
      const work: Promise<void> = new Owner(deps, plan).run().finally(() => atWork.delete(work));
      atWork.add(work);
    }
    await sleep(1_000 / tasksPerSecond, undefined, { signal: ending }).catch(() => undefined);
  }
  await Promise.all(atWork);
}
