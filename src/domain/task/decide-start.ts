import { refused, type Decision } from '../decision.ts';
import { failure } from '../failures.ts';
import { lostAttemptLimit } from '../limits.ts';
import type { StartAttempt, TaskPayload } from './task-command.ts';
import { expireTimeOf, happened, refuseEnded } from './task-event.ts';
import type { PendingTask, RunningTask, TaskState } from './task-state.ts';

/**
 * A pending task that is due gets its next attempt. A running one gets another only when its runner is dead; then it is
 * canceled instead if that was asked for, and gives up when too many runners died on it.
 */
export function decideStartAttempt(state: TaskState, command: StartAttempt): Decision<TaskPayload> {
  if (state.status === 'pending') {
    if (state.retryTime !== undefined && state.retryTime > command.now) {
      return refused('NOT_DUE', `The next attempt is due at ${state.retryTime.toISOString()}.`);
    }
    return started(state, command);
  }
  if (state.status !== 'running') return refuseEnded(state);
  if (!command.runnerIsDead) return refused('ATTEMPT_RUNNING', `Attempt ${state.attempt} is running on node ${state.node}.`);
  if (state.cancelRequested) {
    return happened(state, command.now, { $case: 'taskCanceled', value: { expireTime: expireTimeOf(state, command.now) } });
  }
  if (state.lostAttempts + 1 >= lostAttemptLimit) {
    const message = `${lostAttemptLimit} attempts died together with the node that ran them. Ask the operator to look at the nodes' logs.`;
    return happened(state, command.now, {
      $case: 'taskFailed',
      value: {
        failure: failure('ATTEMPTS_EXHAUSTED', message, { attempts: String(state.attempt) }),
        expireTime: expireTimeOf(state, command.now),
      },
    });
  }
  return started(state, command);
}

function started(state: PendingTask | RunningTask, command: StartAttempt): Decision<TaskPayload> {
  const { node, incarnation } = command;
  return happened(state, command.now, { $case: 'attemptStarted', value: { attempt: state.attempt + 1, node, incarnation } });
}
