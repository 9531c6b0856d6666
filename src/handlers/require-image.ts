import { failure, FailureError } from '../domain/failures.ts';
import type { ExistingImage } from '../domain/image/image.ts';

/** What a handler that works on an image of this region needs. */
export interface RequireImageDeps {
  /** Resolves with undefined only where it is certain that `owner` has no such image; see src/streams/find-image.ts. */
  readonly findImage: (id: string, owner: string, signal?: AbortSignal) => Promise<ExistingImage | undefined>;
}

/** An image of this region that a task's owner has. Throws FailureError (IMAGE_NOT_FOUND) where there is none, or none any more. */
export async function requireImage(deps: RequireImageDeps, id: string, owner: string, signal?: AbortSignal): Promise<ExistingImage> {
  const image = await deps.findImage(id, owner, signal);
  if (image === undefined) throw imageNotFound(id);
  return image;
}

/** There is no such image (any more). */
export function imageNotFound(id: string): FailureError {
  return new FailureError(failure('IMAGE_NOT_FOUND', `There is no image ${id.slice(0, 64)} any more: it was deleted. Name another.`, { image_id: id.slice(0, 64) }));
}
