import type { ImageStore, StagedPart } from '../stores/image-store.ts';
import type { StageRun } from './stage.ts';

/** What store works with. */
export interface StoreDeps {
  readonly store: ImageStore;
}

/** Where the image lies: the name of a file in the store, for `ImageStored`. */
export interface Stored {
  readonly file: string;
}

/**
 * Puts a part that the attempt has staged in its place, durably. Throws FailureError, or the signal's reason if it has aborted before;
 * once begun it is over in a moment and is not stopped. A file that no `ImageStored` names is a leftover, found by
 * `listFiles`.
 */
export async function store(run: StageRun, deps: StoreDeps, part: StagedPart): Promise<Stored> {
  run.signal.throwIfAborted();
  return { file: await deps.store.publish(run.taskId, run.attempt, part) };
}
