import type { TaskSpec } from '../../gen/lehr/v1/task.ts';
import type { FindImage } from '../../streams/find-image.ts';
import type { FieldViolation } from '../api-error.ts';
import type { Call } from '../call.ts';

/** A violation where a spec names an image of this region that the caller has not; what belongs to others does not exist. */
export async function checkImageOfSpec(spec: TaskSpec | undefined, findImage: FindImage, call: Call): Promise<FieldViolation[]> {
  const named = imageIn(spec);
  if (named === undefined) return [];
  const { field, id } = named;
  if (id === '') return [{ field, description: 'is required' }];
  if (await findImage(id, call.owner, call.signal) !== undefined) return [];
  return [{ field, description: `there is no image ${id.slice(0, 64)}; ListImages lists yours` }];
}

/** The image of this region that a spec names, and where. */
function imageIn(spec: TaskSpec | undefined): { readonly field: string; readonly id: string } | undefined {
  const kind = spec?.kind;
  switch (kind?.$case) {
    case 'exportImage':
      return { field: 'spec.export_image.image_id', id: kind.value.imageId };
    case 'cloneImage':
      return kind.value.sourceRegion === '' ? { field: 'spec.clone_image.image_id', id: kind.value.imageId } : undefined;
    case 'importImage':
    case undefined:
      return undefined;
    default:
      return kind satisfies never;
  }
}
