import { setTimeout as sleep } from 'node:timers/promises';

import type { Random } from '../../simulation/random.ts';
import type { ChaosSources } from './chaos-sources.ts';
import { followUp, type FollowUpDeps } from './follow-up.ts';
import { Owner } from './owner.ts';
import { planFollowUps } from './plan-follow-up.ts';
import { planTask } from './plan-task.ts';
import { wantedImport } from './wanted.ts';

/** Owners of imports that are at work at once; while there are so many, nothing new is asked for. */
const ownerLimit = 150;

/** What the load is made with. */
export interface LoadDeps extends FollowUpDeps {
  readonly sources: ChaosSources;
}

/** Asks for tasks at a steady rate until `ending` aborts; resolves when their owners have done all that they wanted. */
export async function runLoad(deps: LoadDeps, random: Random, tasksPerSecond: number, ending: AbortSignal): Promise<void> {
  const atWork = new Set<Promise<void>>();
  for (let index = 1; !ending.aborted; index += 1) {
    const plan = planTask(random, index);
    const followUps = planFollowUps(random, plan.requestId);
    const url = deps.sources.open(plan.requestId, plan.fate, random);
    if (atWork.size < ownerLimit) {
      const carried = async (): Promise<void> => {
        const imageId = await new Owner(deps, plan, wantedImport(url)).run();
        if (imageId !== undefined) await Promise.all(followUps.map((next) => followUp(deps, imageId, next)));
      };
      const work: Promise<void> = carried().finally(() => atWork.delete(work));
      atWork.add(work);
    }
    await sleep(1_000 / tasksPerSecond, undefined, { signal: ending }).catch(() => undefined);
  }
  await Promise.all(atWork);
}
