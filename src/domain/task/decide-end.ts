import { refused, unchanged, type Decision } from '../decision.ts';
import type { ExpireTask, SucceedTask, TaskPayload } from './task-command.ts';
import { expireTimeOf, happened, refuseEnded } from './task-event.ts';
import type { CommittedTask, TaskState } from './task-state.ts';
import type { TaskResult } from '../../gen/lehr/v1/task.ts';

/** A committed task succeeds, with the result that `ImageStored` holds; any node may say so, and any number of times. */
export function decideSucceedTask(state: TaskState, command: SucceedTask): Decision<TaskPayload> {
  switch (state.status) {
    case 'committed':
      return happened(state, command.now, {
        $case: 'taskSucceeded',
        value: { result: resultOf(state), expireTime: expireTimeOf(state, command.now) },
      });
    case 'succeeded':
      return unchanged;
    case 'running':
      return refused('TASK_NOT_COMMITTED', 'The task has not stored its image yet.');
    case 'absent':
    case 'pending':
    case 'failed':
    case 'canceled':
    case 'expired':
      return refuseEnded(state);
    default:
      return state satisfies never;
  }
}

/** A task that ended expires when its time has come. */
export function decideExpireTask(state: TaskState, command: ExpireTask): Decision<TaskPayload> {
  switch (state.status) {
    case 'succeeded':
    case 'failed':
    case 'canceled':
      if (state.expireTime > command.now) return refused('NOT_DUE', `The task expires at ${state.expireTime.toISOString()}.`);
      return happened(state, command.now, { $case: 'taskExpired', value: {} });
    case 'expired':
      return unchanged;
    case 'pending':
    case 'running':
    case 'committed':
      return refused('TASK_NOT_ENDED', 'A task expires only after it has ended.');
    case 'absent':
      return refuseEnded(state);
    default:
      return state satisfies never;
  }
}

function resultOf(state: CommittedTask): TaskResult {
  const { digest, sizeBytes, format, guestDigest } = state.stored;
  return { imageId: state.id, location: '', digest, sizeBytes, format, guestDigest, verified: false };
}
