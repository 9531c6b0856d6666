import type { Image } from '../gen/lehr/v1/image.ts';
import type { CommandContext } from './command-context.ts';

/** The image with this id. Throws `CommandError`, NOT_FOUND where there is none. */
export async function fetchImage({ api, signal }: CommandContext, id: string): Promise<Image> {
  const { image } = await api.getImage({ id, readToken: '' }, signal);
  if (image === undefined) throw new Error('the server answered without an image');
  return image;
}
