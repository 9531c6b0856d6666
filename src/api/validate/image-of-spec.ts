import type { ExistingImage } from '../../domain/image/image.ts';
import type { TaskSpec } from '../../gen/lehr/v1/task.ts';
import type { FindImage } from '../../streams/find-image.ts';
import type { FieldViolation } from '../api-error.ts';
import type { Call } from '../call.ts';
import type { CreateTaskRules } from './create-task-rules.ts';
import { checkExportOf } from './export-image.ts';

/**
 * A violation where a spec names an image of this region that the caller has not, since what belongs to others does not exist, or
 * where that image cannot become what is asked for.
 */
export async function checkImageOfSpec(
  spec: TaskSpec | undefined, findImage: FindImage, rules: CreateTaskRules, call: Call,
): Promise<FieldViolation[]> {
  const named = imageIn(spec, rules);
  if (named === undefined) return [];
  const { field, id, check } = named;
  if (id === '') return [{ field, description: 'is required' }];
  const image = await findImage(id, call.owner, call.signal);
  return image === undefined ? [{ field, description: `there is no image ${id.slice(0, 64)}; ListImages lists yours` }] : check(image);
}

interface NamedImage {
  readonly field: string;
  readonly id: string;
  /** What the image itself speaks against. */
  readonly check: (image: ExistingImage) => FieldViolation[];
}

/** The image of this region that a spec names, and where. */
function imageIn(spec: TaskSpec | undefined, rules: CreateTaskRules): NamedImage | undefined {
  const kind = spec?.kind;
  switch (kind?.$case) {
    case 'exportImage': {
      const { value } = kind;
      return { field: 'spec.export_image.image_id', id: value.imageId, check: (image) => checkExportOf(value, image, rules) };
    }
    case 'cloneImage':
      return kind.value.sourceRegion === '' ? { field: 'spec.clone_image.image_id', id: kind.value.imageId, check: () => [] } : undefined;
    case 'importImage':
    case undefined:
      return undefined;
    default:
      return kind satisfies never;
  }
}
