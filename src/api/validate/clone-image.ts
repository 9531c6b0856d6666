import { checkImageProperties } from '../../domain/image/check-properties.ts';
import type { CloneImage } from '../../gen/lehr/v1/task.ts';
import type { FieldViolation } from '../api-error.ts';

/** What a clone is judged by. */
export interface CloneRules {
  /** The names of the setting regions. */
  readonly regions: readonly string[];
}

const at = 'spec.clone_image';

/** What a clone shows by itself; whether this region has the image is asked elsewhere, and another region not before the task runs. */
export function checkClone({ sourceRegion, imageId, image }: CloneImage, { regions }: CloneRules): FieldViolation[] {
  return [
    ...checkRegion(sourceRegion, regions),
    ...checkImageId(imageId),
    ...checkImageProperties(`${at}.image`, image ?? { name: '', tags: [], properties: {} }),
  ];
}

function checkRegion(name: string, regions: readonly string[]): FieldViolation[] {
  if (name === '' || regions.includes(name)) return [];
  const known = regions.length === 0 ? 'none is' : `${regions.join(', ')} ${regions.length === 1 ? 'is' : 'are'}`;
  return [{ field: `${at}.source_region`, description: `no region of this name is configured; ${known}. Leave it empty for an image of this region` }];
}

function checkImageId(id: string): FieldViolation[] {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return [];
  return [{ field: `${at}.image_id`, description: 'must be the id of an image: a UUID in lower case' }];
}
