import { registerImageOf } from '../domain/image/image-of-task.ts';
import { kindOfSpec } from '../domain/task/kind.ts';
import type { ExistingTask, PendingTask, TaskState } from '../domain/task/task-state.ts';
import type { ImageStore } from '../stores/image-store.ts';
import type { Clock } from '../domain/clock.ts';
import type { ImageStreams } from '../streams/image-streams.ts';
import type { TaskStreams } from '../streams/task-streams.ts';

/** What finishing a task works with. */
export interface FinishDeps {
  readonly tasks: TaskStreams;
  readonly images: ImageStreams;
  readonly store: ImageStore;
  readonly clock: Clock;
}

/**
 * Brings a committed task to its end: registers its image and lets it succeed. Any node may do this, any number of times
 * and without an attempt: the records come out the same, and the log takes each once.
 */
export async function finishCommitted(deps: FinishDeps, taskId: string): Promise<void> {
  const state = deps.tasks.peek(taskId);
  if (state.status === 'succeeded') return clearLeftovers(deps.store, state);
  if (state.status === 'committed') {
    await deps.images.execute(taskId, registerImageOf(state), { recordId: taskId });
    const executed = await deps.tasks.execute(taskId, { type: 'succeedTask', now: deps.clock.now() });
    await clearLeftovers(deps.store, executed.state);
  }
}

/**
 * Removes what an attempt that failed has left in the store and the next one has no use for. It goes on with what was fetched, and an
 * export delivers what was converted; a store that is full has no room for either until then. The next one may have begun by now.
 */
export async function clearAttempt(store: ImageStore, { id, attempt, spec, failure }: PendingTask): Promise<void> {
  if (failure?.reason === 'REASON_STORE_FULL') await store.discardEarlier(id, attempt + 1);
  else if (kindOfSpec(spec) === 'export') await store.discardPart(id, attempt, 'borrowed');
}

/** Removes what a task that is past its point of no return, or has ended, has left in the store beside its image. */
export async function clearLeftovers(store: ImageStore, state: TaskState): Promise<void> {
  switch (state.status) {
    case 'committed':
    case 'succeeded':
      return removeLeftovers(store, state, state.stored?.attempt);
    case 'failed':
    case 'canceled':
      return removeLeftovers(store, state, undefined);
    case 'absent':
    case 'pending':
    case 'running':
    case 'expired':
      return;
    default:
      state satisfies never;
  }
}

async function removeLeftovers(store: ImageStore, { id, attempt, spec }: ExistingTask, storedAttempt: number | undefined): Promise<void> {
  // The only attempt there was has stored its image, and its staged file went with that.
  if (attempt === 1 && storedAttempt === 1) return;
  await store.discardStaging(id);
  // An export puts nothing in place.
  if (kindOfSpec(spec) === 'export') return;
  for (let number = 1; number <= attempt; number += 1) {
    if (number !== storedAttempt) await store.remove(`${id}.${number}`);
  }
}
