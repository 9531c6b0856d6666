import { failure, FailureError } from '../domain/failures.ts';
import { checkImageProperties } from '../domain/image/check-properties.ts';
import type { ImageProperties } from '../gen/lehr/v1/task.ts';

/**
 * What a clone is called and described by: as its source, but for what was asked to be otherwise. Throws FailureError where both
 * together keep no limit of an image's properties.
 */
export function copiedProperties(source: ImageProperties, asked: ImageProperties | undefined): ImageProperties {
  const { name, tags, properties } = asked ?? { name: '', tags: [], properties: {} };
  const both: ImageProperties = {
    name: name === '' ? source.name : name,
    tags: tags.length === 0 ? source.tags : tags,
    properties: { ...source.properties, ...properties },
  };
  const [fault] = checkImageProperties('image', both);
  if (fault === undefined) return both;
  const message = `What the image has and what was asked for do not go together: ${fault.field} ${fault.description}. Ask for less.`;
  throw new FailureError(failure('TOO_MANY_PROPERTIES', message));
}
