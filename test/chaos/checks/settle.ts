import { setTimeout as sleep } from 'node:timers/promises';

import type { Task } from '../../../src/gen/lehr/v1/task.ts';
import type { Api } from '../../acceptance/harness/api.ts';
import { eventsOf } from '../../acceptance/harness/events.ts';
import { Refused } from '../../acceptance/harness/refused.ts';
import type { Ledger } from '../ledger.ts';
import { doorsOf } from '../load/doors-of.ts';
import type { ChaosNode } from '../nodes/chaos-node.ts';
import { describeEvents } from './describe-events.ts';

/**
 * Once everything is healed, all tasks end within so long: a dead node is noticed after 8 s, four attempts at a silent source with
 * the waits between them take 15 s, and the longest short time to live is 5 s. The rest is for slow machines.
 */
export const settleLimitMs = 120_000;

/** Tasks that end later than this expire after the run. */
const expiryHorizonMs = 3_600_000;

const lookEveryMs = 250;

/** So many of those that do not end are told. */
const toldTasks = 5;

/** Waits until every node shows that every task has ended, and expired where it is to expire soon. Those that do not break a rule. */
export async function settle(ledger: Ledger, nodes: readonly ChaosNode[]): Promise<void> {
  for (const { name, api } of doorsOf(nodes)) await settleOn(ledger, name, api);
}

async function settleOn(ledger: Ledger, name: string, api: Api): Promise<void> {
  const startMs = performance.now();
  const isLate = (): boolean => performance.now() - startMs > settleLimitMs;
  for (; !await knowsLog(api); await sleep(lookEveryMs)) {
    if (isLate()) return ledger.violate('every node knows what is in the log', `${name} ${settleLimitMs / 1_000} s after the last fault`);
  }
  for (;;) {
    const left = await unsettled(api);
    if (left.length === 0) break;
    if (isLate()) {
      ledger.note(`${left.length} tasks do not settle`);
      for (const task of left.slice(0, toldTasks)) await tell(ledger, api, task);
      return;
    }
    await sleep(lookEveryMs);
  }
  ledger.note(`${name} showed all tasks settled after ${((performance.now() - startMs) / 1_000).toFixed(1)} s`);
}

/** Whether the node has everything that is in the log now; only then it verifies. */
async function knowsLog(api: Api): Promise<boolean> {
  try {
    await api.verifyEvents({});
    return true;
  } catch (error) {
    if (error instanceof Refused && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.refusal.code)) return false;
    throw error;
  }
}

/** Tasks that have something before them. */
async function unsettled(api: Api): Promise<readonly Task[]> {
  const soon = new Date(Date.now() + expiryHorizonMs).toISOString();
  const filters = ['state = STATE_PENDING', 'state = STATE_RUNNING', `expire_time < "${soon}"`];
  const found = await Promise.all(filters.map((filter) => api.listTasks({ filter, pageSize: 1_000 })));
  return found.flatMap(({ tasks }) => tasks);
}

async function tell(ledger: Ledger, api: Api, { id, state, attempt }: Task): Promise<void> {
  const events = await eventsOf(api, `tasks/${id}`);
  ledger.violate('every task ends, and expires in time', `${id} is ${state}, attempt ${attempt}, ${settleLimitMs / 1_000} s after the last fault`, describeEvents(events));
}
