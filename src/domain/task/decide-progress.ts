import { refused, type Decision } from '../decision.ts';
import type { CompleteStage, DeliverResult, StoreImage, TaskPayload } from './task-command.ts';
import { expireTimeOf, happened, refuseEnded } from './task-event.ts';
import type { TaskState } from './task-state.ts';

/** A stage ended well: taken from the attempt that runs, unless it has been asked to stop. */
export function decideCompleteStage(state: TaskState, command: CompleteStage): Decision<TaskPayload> {
  return ofRunningAttempt(state, command.found.attempt, command.now, { $case: 'stageCompleted', value: command.found });
}

/** The point of no return (design rule 6): whoever comes first here wins, cancel or storage. */
export function decideStoreImage(state: TaskState, command: StoreImage): Decision<TaskPayload> {
  return ofRunningAttempt(state, command.stored.attempt, command.now, { $case: 'imageStored', value: command.stored });
}

/** An attempt that makes no image has delivered: that ends the task. */
export function decideDeliverResult(state: TaskState, command: DeliverResult): Decision<TaskPayload> {
  if (state.status !== 'running') return refuseEnded(state);
  return ofRunningAttempt(state, command.attempt, command.now, {
    $case: 'taskSucceeded',
    value: { result: command.result, expireTime: expireTimeOf(state, command.now) },
  });
}

function ofRunningAttempt(state: TaskState, attempt: number, now: Date, payload: TaskPayload): Decision<TaskPayload> {
  if (state.status !== 'running') return refuseEnded(state);
  if (state.attempt !== attempt) return supersededBy(state.attempt);
  if (state.cancelRequested) return refused('CANCEL_REQUESTED', 'The task is to be canceled.');
  return happened(state, now, payload);
}

/** The refusal of an attempt that is not the newest any more: its worker was thought dead and replaced. */
export function supersededBy(attempt: number): Decision<never> {
  return refused('ATTEMPT_SUPERSEDED', `Attempt ${attempt} has taken over.`);
}
