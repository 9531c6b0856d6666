import type { CloneImage } from '../gen/lehr/v1/task.ts';
import { store, type StoreDeps } from '../stages/store.ts';
import { borrowImage } from './borrow-image.ts';
import { copiedProperties } from './copied-properties.ts';
import type { Attempt } from './handler.ts';
import { clonedFrom } from './provenance.ts';
import { requireImage, type RequireImageDeps } from './require-image.ts';

/** What a clone within this region works with. */
export interface CloneHereDeps extends StoreDeps, RequireImageDeps {}

/**
 * Clones an image of this region: its stored bytes, which passed every check before, get a second name. Nothing is read or written but
 * that, whatever the size; the file system counts the names, so that deleting one image leaves the other whole.
 */
export async function cloneHere(deps: CloneHereDeps, { imageId, image: asked }: CloneImage, attempt: Attempt): Promise<void> {
  const { registered, image, file } = await attempt.lastStage('store', async (run) => {
    const source = await requireImage(deps, imageId, attempt.owner, run.signal);
    const image = copiedProperties(source.properties, asked);
    await borrowImage(run, deps, source);
    return { ...source, image, ...await store(run, deps, 'borrowed') };
  });
  const { digest, sizeBytes, format, virtualSizeBytes, guestDigest, warnings, provenance } = registered;
  await attempt.commit({
    file, digest, sizeBytes, format, virtualSizeBytes, guestDigest, warnings, image,
    provenance: clonedFrom('', imageId, provenance),
  });
}
