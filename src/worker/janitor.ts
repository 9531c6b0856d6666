import type { ImageState } from '../domain/image/image.ts';
import type { TaskState } from '../domain/task/task-state.ts';
import type { AppliedEvent } from '../projector/feed.ts';
import type { FinishDeps } from './finish-task.ts';
import type { WorkerLog } from './worker.ts';

/** Removes the bytes of each image that is deleted. What a crash leaves undone here, `sweepStore` does at the next start. */
export function removeDeletedImages(deps: FinishDeps, log: WorkerLog): (events: readonly AppliedEvent[]) => void {
  return (events) => {
    for (const { id, event } of events) {
      if (event.payload.$case !== 'imageDeleted') continue;
      const image = deps.images.latest(id);
      if (image.status !== 'deleted') continue;
      deps.store.remove(image.registered.file).catch((err: unknown) => {
        log.warn({ image_id: id, err }, 'the bytes of a deleted image could not be removed; the next start tries again');
      });
    }
  };
}

/** So many entries are judged before others get a turn. */
const sweepBatch = 100;

/**
 * Removes everything from the store that no task and no image needs any more. Returns how many files and folders that were. What
 * belongs to a task that the log does not know is left: a store is never emptied because it was given to another log.
 * It lists first and then waits until this node knows all that is in the log: the task of whatever was listed had been
 * created before. A node that lags would take the file of a new task for a leftover. Rejects when `signal` aborts.
 */
export async function sweepStore(deps: FinishDeps, signal?: AbortSignal): Promise<number> {
  const { store, tasks, images, clock } = deps;
  const staging = await store.listStaging();
  const files = await store.listFiles();
  await tasks.caughtUp(signal);
  let judged = 0;
  let removed = 0;
  const turn = async (): Promise<void> => {
    signal?.throwIfAborted();
    judged += 1;
    if (judged % sweepBatch === 0) await new Promise<void>((resolve) => clock.schedule(0, resolve));
  };
  for (const taskId of staging) {
    await turn();
    if (mayStillRun(tasks.latest(taskId))) continue;
    await store.discardStaging(taskId);
    removed += 1;
  }
  for (const file of files) {
    await turn();
    const id = file.slice(0, file.indexOf('.'));
    if (isNeeded(file, tasks.latest(id), images.latest(id))) continue;
    await store.remove(file);
    removed += 1;
  }
  return removed;
}

/** Whether the task may need what it has in the store; nobody knows that of a task that the log does not hold. */
function mayStillRun({ status }: TaskState): boolean {
  return status === 'pending' || status === 'running' || status === 'absent';
}

function isNeeded(file: string, task: TaskState, image: ImageState): boolean {
  if (image.status !== 'absent') return image.status === 'live' && image.registered.file === file;
  if (task.status === 'committed') return task.stored.file === file;
  return mayStillRun(task);
}
