import type { ExistingImage } from '../domain/image/image.ts';
import type { ImageStreams } from './image-streams.ts';

/**
 * Finds an image that `owner` has and that is not deleted; undefined where there is none. That is said only by a node that has caught up
 * with the log as it was when the call came, so that a node that lags never denies an image that exists. Rejects with
 * `ProjectionLaggingError`, or when `signal` aborts.
 */
export type FindImage = (id: string, owner: string, signal?: AbortSignal) => Promise<ExistingImage | undefined>;

/** Whether a text can be the id of an image at all: ids are lower-case UUIDs. */
const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Finds images by their streams. */
export function findImageIn(images: ImageStreams): FindImage {
  const known = (id: string, owner: string): ExistingImage | undefined => {
    const image = images.latest(id);
    return image.status === 'live' && image.owner === owner ? image : undefined;
  };
  return async (id, owner, signal) => {
    if (!idPattern.test(id)) return undefined;
    const found = known(id, owner);
    if (found !== undefined) return found;
    await images.caughtUp(signal);
    return known(id, owner);
  };
}
