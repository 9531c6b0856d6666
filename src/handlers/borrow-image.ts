import { failure, FailureError } from '../domain/failures.ts';
import type { ExistingImage } from '../domain/image/image.ts';
import type { StageRun } from '../stages/stage.ts';
import type { ImageStore } from '../stores/image-store.ts';
import { imageNotFound, type RequireImageDeps } from './require-image.ts';

/** What borrowing works with. */
export interface BorrowImageDeps extends RequireImageDeps {
  readonly store: ImageStore;
}

/**
 * Makes the stored bytes of an image that was found a part of the attempt (`borrowed`). Throws FailureError: IMAGE_NOT_FOUND where it was
 * deleted between, STORE_UNAVAILABLE where the store has lost them.
 */
export async function borrowImage(
  { taskId, attempt, signal }: StageRun, deps: BorrowImageDeps, { id, owner, registered }: ExistingImage,
): Promise<void> {
  if (await deps.store.borrow(registered.file, taskId, attempt)) return;
  if (await deps.findImage(id, owner, signal) === undefined) throw imageNotFound(id);
  const message = `The bytes of image ${id} are not in the store. Ask the operator to look after store-dir.`;
  throw new FailureError(failure('STORE_UNAVAILABLE', message, { image_id: id }));
}
