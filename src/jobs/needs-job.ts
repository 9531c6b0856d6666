import type { TaskState } from '../domain/task/task-state.ts';

/**
 * Whether a job for the task would change something now: it waits and is due, or its runner is dead, or it is committed and
 * not ended. An attempt that is overdue although its runner lives is the business of its timer.
 */
export function needsJob(state: TaskState, now: Date, isDead: (incarnation: string) => boolean): boolean {
  switch (state.status) {
    case 'pending':
      return state.retryTime === undefined || state.retryTime <= now;
    case 'running':
      return isDead(state.incarnation);
    case 'committed':
      return true;
    case 'absent':
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'expired':
      return false;
    default:
      return state satisfies never;
  }
}
