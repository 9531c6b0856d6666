import type { Timer } from '../../projections/timers/queries.ts';
import type { Clock } from '../domain/clock.ts';
import { kindOfSpec } from '../domain/task/kind.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { ImageStore } from '../stores/image-store.ts';
import type { TaskStreams } from '../streams/task-streams.ts';
import { clearLeftovers } from './finish-task.ts';

/** What timers work with. */
export interface FireTimerDeps {
  readonly tasks: TaskStreams;
  readonly queue: JobQueue;
  readonly store: ImageStore;
  readonly clock: Clock;
  readonly stageTimeoutMs: number;
  readonly attemptLimit: number;
}

/** Does what a timer is for, decided on the task's present state. */
export function fireTimer(deps: FireTimerDeps): (timer: Timer) => Promise<void> {
  const { tasks, queue, store, clock, stageTimeoutMs, attemptLimit } = deps;
  return async ({ taskId, kind, dueTimeMs }) => {
    switch (kind) {
      case 'retry':
        queue.offer(taskId, `retry-${dueTimeMs}`);
        return;
      case 'overdue': {
        const { state } = await tasks.execute(taskId, { type: 'expireAttempt', stageTimeoutMs, attemptLimit, now: clock.now() });
        // Its destination is looked after by a worker.
        if (state.status === 'failed' && kindOfSpec(state.spec) === 'export') queue.offer(taskId, `overdue-${dueTimeMs}`);
        return clearLeftovers(store, state);
      }
      case 'expire':
        await tasks.execute(taskId, { type: 'expireTask', now: clock.now() });
        return;
      default:
        kind satisfies never;
    }
  };
}
