import { refused, type Decision } from '../decision.ts';
import type { TaskPayload } from './task-command.ts';
import type { ExistingTask, TaskState } from './task-state.ts';

/** The event that a command makes of a task that exists. */
export function happened(task: { readonly owner: string }, now: Date, payload: TaskPayload): Decision<TaskPayload> {
  return { kind: 'event', event: { payload, time: now, owner: task.owner } };
}

/** When a task that ends `now` leaves the lists. */
export function expireTimeOf(task: ExistingTask, now: Date): Date {
  return new Date(now.getTime() + task.ttlMs);
}

/**
 * The refusal of a command that only a running, or a living, task takes: says why this one is neither. `state` must not
 * be running.
 */
export function refuseEnded(state: Exclude<TaskState, { status: 'running' }>): Decision<never> {
  switch (state.status) {
    case 'absent':
      return refused('TASK_NOT_FOUND', 'There is no such task.');
    case 'pending':
      return refused('ATTEMPT_NOT_RUNNING', 'No attempt of this task is running.');
    case 'committed':
      return refused('TASK_COMMITTED', 'The image is stored already: the task will succeed.');
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return refused('TASK_ENDED', `The task has ended: it ${pastTense[state.status]}.`);
    case 'expired':
      return refused('TASK_EXPIRED', 'The task has ended and expired; its events can still be read.');
    default:
      return state satisfies never;
  }
}

const pastTense = { succeeded: 'succeeded', failed: 'failed', canceled: 'was canceled' } as const;
