import { checkTask } from '../../linearizability/check-task.ts';
import { describeOperation } from '../../linearizability/describe-operation.ts';
import type { Operation } from '../../linearizability/operation.ts';
import type { History } from '../history.ts';
import type { Ledger } from '../ledger.ts';
import { describeEvents } from './describe-events.ts';
import type { ReadLog } from './read-log.ts';

/** The calls on each task are linearizable. A history that is too large to say is counted, and told, but breaks nothing. */
export function checkHistory(ledger: Ledger, history: History, log: ReadLog): void {
  for (const operations of history.perRequest()) {
    const verdict = checkTask(operations);
    ledger.count(`history ${verdict.kind}`);
    if (verdict.kind !== 'violation') continue;
    const [first] = operations;
    const id = operations.map(idOf).find((found) => found !== undefined);
    ledger.violate('the calls on each task are linearizable', `request ${first?.requestId ?? ''}: ${verdict.problem}`, [
      ...verdict.history.map(describeOperation),
      'all calls:', ...operations.map(describeOperation),
      'the log:', ...describeEvents(log.get(`tasks/${id ?? ''}`) ?? []),
    ]);
  }
}

function idOf({ answer }: Operation): string | undefined {
  return answer.kind === 'ok' ? answer.seen.id : undefined;
}
