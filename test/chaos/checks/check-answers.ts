import type { Event } from '../../../src/gen/lehr/v1/event.ts';
import { describeOperation } from '../../linearizability/describe-operation.ts';
import type { Operation } from '../../linearizability/operation.ts';
import type { Phase } from '../../linearizability/task-model.ts';
import { shows } from '../../linearizability/task-model.ts';
import type { Ledger } from '../ledger.ts';
import { describeEvents } from './describe-events.ts';
import type { ReadLog } from './read-log.ts';

/** Where a task stands after an event; after any other it stands where it stood. */
const phases: Readonly<Partial<Record<NonNullable<Event['payload']>['$case'], Phase>>> = {
  taskCreated: 'pending', attemptStarted: 'running', attemptFailed: 'pending', cancelRequested: 'stopping', imageStored: 'committed',
  taskSucceeded: 'succeeded', taskFailed: 'failed', taskCanceled: 'canceled', taskExpired: 'expired',
};

/**
 * Every answer shows a task as the log has it at that revision: what was acknowledged is there, and nothing was invented. The log
 * knows what the check of the history can only conclude.
 */
export function checkAnswers(ledger: Ledger, log: ReadLog, operations: readonly Operation[]): void {
  for (const operation of operations) {
    if (operation.answer.kind !== 'ok') continue;
    const { seen } = operation.answer;
    const events = log.get(`tasks/${seen.id}`) ?? [];
    const phase = events.slice(0, seen.revision).reduce(phaseAfter, 'absent');
    if (seen.revision <= events.length && shows(seen, { phase, revision: seen.revision, content: undefined })) continue;
    ledger.violate('every answer is in the log', `request ${operation.requestId}`, [describeOperation(operation), ...describeEvents(events)]);
  }
}

function phaseAfter(phase: Phase, { payload }: Event): Phase {
  return payload === undefined ? phase : phases[payload.$case] ?? phase;
}
