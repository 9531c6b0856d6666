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
      const image = deps.images.peek(id);
      if (image.status !== 'deleted') continue;
      deps.store.remove(image.registered.file).catch((err: unknown) => {
        log.warn({ image_id: id, err }, 'the bytes of a deleted image could not be removed; the next start tries again');
      });
    }
  };
}

/** Removes everything from the store that no task and no image needs any more. Returns how many files and folders that were. */
export async function sweepStore(deps: FinishDeps): Promise<number> {
  let removed = 0;
  for (const taskId of await deps.store.listStaging()) {
    if (mayStillRun(deps.tasks.peek(taskId))) continue;
    await deps.store.discardStaging(taskId);
    removed += 1;
  }
  for (const file of await deps.store.listFiles()) {
    const id = file.slice(0, file.indexOf('.'));
    if (isNeeded(file, deps.tasks.peek(id), deps.images.peek(id))) continue;
    await deps.store.remove(file);
    removed += 1;
  }
  return removed;
}

function mayStillRun({ status }: TaskState): boolean {
  return status === 'pending' || status === 'running';
}

function isNeeded(file: string, task: TaskState, image: ImageState): boolean {
  if (image.status !== 'absent') return image.status === 'live' && image.registered.file === file;
  if (task.status === 'committed') return task.stored.file === file;
  return mayStillRun(task);
}
