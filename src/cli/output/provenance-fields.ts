import type { Provenance } from '../../gen/lehr/v1/image.ts';
import type { Field } from './format-fields.ts';

/** Where an image came from, and what was said there of where it had come from, in a line each. */
export function provenanceFields(provenance: Provenance | undefined): readonly Field[] {
  if (provenance === undefined) return [];
  const { sourceUri, sourceRegion, sourceImageId, originSourceUri, originSourceRegion, originSourceImageId } = provenance;
  return [
    ['source', [sourceUri, imageOf(sourceRegion, sourceImageId)]],
    ['origin', [imageOf(originSourceRegion, originSourceImageId), originSourceUri]],
  ];
}

function imageOf(region: string, id: string): string {
  if (id === '') return '';
  return region === '' ? `image ${id}` : `image ${id} of region ${region}`;
}
