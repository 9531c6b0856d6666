import { refused, type Decision } from '../decision.ts';
import { failure, failureMessageLimit } from '../failures.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import { overdueGraceMs, retryDelayMs } from '../limits.ts';
import { supersededBy } from './decide-progress.ts';
import type { ExpireAttempt, FailAttempt, TaskPayload } from './task-command.ts';
import { expireTimeOf, happened, refuseEnded } from './task-event.ts';
import type { RunningTask, TaskState } from './task-state.ts';

/** The running attempt failed: another one later, if that may help and the limit allows; otherwise the task fails. */
export function decideFailAttempt(state: TaskState, command: FailAttempt): Decision<TaskPayload> {
  if (state.status !== 'running') return refuseEnded(state);
  if (state.attempt !== command.attempt) return supersededBy(state.attempt);
  return failed(state, command.failure, command.attemptLimit, command.now);
}

/** Any node may end an attempt that is long past its stage's deadline: its worker hangs. */
export function decideExpireAttempt(state: TaskState, command: ExpireAttempt): Decision<TaskPayload> {
  if (state.status !== 'running') return refuseEnded(state);
  const overdueTime = overdueTimeOf(state, command.stageTimeoutMs);
  if (overdueTime > command.now) {
    return refused('ATTEMPT_NOT_OVERDUE', `The attempt has time until ${overdueTime.toISOString()}.`);
  }
  const message = `The running stage did not end within ${command.stageTimeoutMs / 1_000} s and its worker stopped answering.`;
  return failed(state, failure('DEADLINE_EXCEEDED', message, { node: state.node }), command.attemptLimit, command.now);
}

/** When the running attempt may be declared dead by anybody. */
export function overdueTimeOf(state: RunningTask, stageTimeoutMs: number): Date {
  return new Date(state.stageTime.getTime() + stageTimeoutMs + overdueGraceMs);
}

function failed(state: RunningTask, cause: Failure, attemptLimit: number, now: Date): Decision<TaskPayload> {
  const expireTime = expireTimeOf(state, now);
  if (state.cancelRequested) return happened(state, now, { $case: 'taskCanceled', value: { expireTime } });
  const failedAttempts = state.failedAttempts + 1;
  if (cause.retryable && failedAttempts < attemptLimit) {
    const retryTime = new Date(now.getTime() + retryDelayMs(failedAttempts, retryAfterMs(cause)));
    return happened(state, now, { $case: 'attemptFailed', value: { attempt: state.attempt, failure: cause, retryTime } });
  }
  return happened(state, now, { $case: 'taskFailed', value: { failure: afterAttempts(cause, failedAttempts), expireTime } });
}

/** How long the source asked to be left alone, as the fetch noted it; 0 where it did not. */
function retryAfterMs({ metadata }: Failure): number {
  const seconds = Number(metadata['retry_after_seconds'] ?? 0);
  return Number.isFinite(seconds) ? Math.max(seconds, 0) * 1_000 : 0;
}

/** A task that gave up keeps the reason of its last attempt and says how many there were. */
function afterAttempts(cause: Failure, failedAttempts: number): Failure {
  if (!cause.retryable) return cause;
  const suffix = failedAttempts === 1 ? '' : ` Gave up after ${failedAttempts} failed attempts.`;
  return {
    ...cause,
    message: cause.message.slice(0, failureMessageLimit - suffix.length) + suffix,
    metadata: { ...cause.metadata, failed_attempts: String(failedAttempts) },
  };
}
