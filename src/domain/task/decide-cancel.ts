import { refused, unchanged, type Decision } from '../decision.ts';
import { supersededBy } from './decide-progress.ts';
import type { ConfirmCancel, RequestCancel, TaskPayload } from './task-command.ts';
import { expireTimeOf, happened, refuseEnded } from './task-event.ts';
import type { TaskState } from './task-state.ts';

/** A waiting task is canceled at once, a running one is asked to stop; asked twice is success; too late is a refusal. */
export function decideRequestCancel(state: TaskState, command: RequestCancel): Decision<TaskPayload> {
  switch (state.status) {
    case 'pending':
      return happened(state, command.now, { $case: 'taskCanceled', value: { expireTime: expireTimeOf(state, command.now) } });
    case 'running':
      if (state.cancelRequested) return unchanged;
      return happened(state, command.now, { $case: 'cancelRequested', value: {} });
    case 'canceled':
      return unchanged;
    case 'absent':
    case 'committed':
    case 'succeeded':
    case 'failed':
    case 'expired':
      return refuseEnded(state);
    default:
      return state satisfies never;
  }
}

/** The attempt that was asked to stop has stopped. */
export function decideConfirmCancel(state: TaskState, command: ConfirmCancel): Decision<TaskPayload> {
  if (state.status === 'canceled') return unchanged;
  if (state.status !== 'running') return refuseEnded(state);
  if (state.attempt !== command.attempt) return supersededBy(state.attempt);
  if (!state.cancelRequested) return refused('CANCEL_NOT_REQUESTED', 'Nobody asked for this task to be canceled.');
  return happened(state, command.now, { $case: 'taskCanceled', value: { expireTime: expireTimeOf(state, command.now) } });
}
