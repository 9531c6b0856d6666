import { failure, FailureError } from '../domain/failures.ts';
import type { ExistingImage } from '../domain/image/image.ts';
import type { CloneImage } from '../gen/lehr/v1/task.ts';
import type { StageRun } from '../stages/stage.ts';
import { store, type StoreDeps, type Stored } from '../stages/store.ts';
import { copiedProperties } from './copied-properties.ts';
import type { Attempt } from './handler.ts';
import { clonedFrom } from './provenance.ts';
import { imageNotFound, requireImage, type RequireImageDeps } from './require-image.ts';

/** What a clone within this region works with. */
export interface CloneHereDeps extends StoreDeps, RequireImageDeps {}

/**
 * Clones an image of this region: its stored bytes, which passed every check before, get a second name. Nothing is read or written but
 * that, whatever the size; the file system counts the names, so that deleting one image leaves the other whole.
 */
export async function cloneHere(deps: CloneHereDeps, { imageId, image: asked }: CloneImage, attempt: Attempt): Promise<void> {
  const { registered, image, file } = await attempt.lastStage('store', async (run) => {
    const source = await requireImage(deps, imageId, attempt.owner, run.signal);
    return { ...source, image: copiedProperties(source.properties, asked), ...await share(run, deps, source) };
  });
  const { digest, sizeBytes, format, virtualSizeBytes, guestDigest, warnings, provenance } = registered;
  await attempt.commit({
    file, digest, sizeBytes, format, virtualSizeBytes, guestDigest, warnings, image,
    provenance: clonedFrom('', imageId, provenance),
  });
}

async function share(run: StageRun, deps: CloneHereDeps, { id, owner, registered }: ExistingImage): Promise<Stored> {
  if (await deps.store.borrow(registered.file, run.taskId, run.attempt)) return store(run, deps, 'borrowed');
  // Deleted between, or lost by the store.
  if (await deps.findImage(id, owner, run.signal) === undefined) throw imageNotFound(id);
  const message = `The bytes of image ${id} are not in the store. Ask the operator to look after store-dir.`;
  throw new FailureError(failure('STORE_UNAVAILABLE', message, { image_id: id }));
}
