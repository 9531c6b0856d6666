import type { Provenance } from '../gen/lehr/v1/image.ts';
import { displayUrl } from '../sources/display-url.ts';

const nowhere: Provenance = {
  sourceUri: '', sourceRegion: '', sourceImageId: '', originSourceUri: '', originSourceRegion: '', originSourceImageId: '',
};

/** Where an import comes from: its address without what may be secret in it. */
export function importedFrom(sourceUri: string): Provenance {
  return { ...nowhere, sourceUri: displayUrl(new URL(sourceUri)) };
}

/**
 * Where a clone comes from. `origin` is what the image that is cloned says of itself; of what that says of its own origin only the
 * address is kept, so that it stays with a clone of a clone.
 */
export function clonedFrom(sourceRegion: string, sourceImageId: string, origin: Provenance = nowhere): Provenance {
  return {
    sourceUri: '',
    sourceRegion,
    sourceImageId,
    originSourceUri: origin.sourceUri === '' ? origin.originSourceUri : origin.sourceUri,
    originSourceRegion: origin.sourceRegion,
    originSourceImageId: origin.sourceImageId,
  };
}
