import type { Image } from '../../gen/lehr/v1/image.ts';
import { formatName } from '../output/names.ts';

/** What a file's name may be made of; everything else in an image's name becomes `_`. */
const STRANGE = /[^\p{L}\p{N}._+ -]/gu;

/**
 * The name of the file that an image is downloaded to when nobody gives one: the image's name with its format as the
 * extension, or its id. Names come from whoever imported the image, so no path, hidden file or control character can come out of it.
 */
export function fileNameFor(image: Image): string {
  const extension = `.${formatName(image.format) || 'img'}`;
  const name = image.name.replace(STRANGE, '_').replace(/^[.\s-]+|\s+$/g, '').slice(0, 100);
  const stem = name === '' ? image.id.replace(STRANGE, '_') : name;
  return stem.toLowerCase().endsWith(extension) || (extension === '.raw' && /\.img$/i.test(stem)) ? stem : stem + extension;
}
