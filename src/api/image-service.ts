import type { ImageQueries } from '../../projections/images/queries.ts';
import type { Clock } from '../domain/clock.ts';
import { checkImageProperties } from '../domain/image/check-properties.ts';
import { describeImage, type ImageState } from '../domain/image/image.ts';
import type { Image } from '../gen/lehr/v1/image.ts';
import type { ReadImageResponse, UpdateImageRequest } from '../gen/lehr/v1/image_service.ts';
import type { ImageProperties } from '../gen/lehr/v1/task.ts';
import type { ImageStore, OpenedImage } from '../stores/image-store.ts';
import type { ImageStreams } from '../streams/image-streams.ts';
import type { ReadSide } from '../streams/read-side.ts';
import { ApiError, invalidArgument } from './api-error.ts';
import type { Call, ImageMethods } from './call.ts';
import { awaitReadToken, orUnavailable, readTokenOf } from './freshness.ts';
import { planImageList } from './lists/list-images.ts';
import { imageNotFound, requireId } from './not-found.ts';

/** What the image service works with. */
export interface ImageServiceDeps {
  readonly images: ImageStreams;
  readonly queries: ImageQueries;
  readonly readSide: ReadSide;
  readonly open: OpenImage;
  readonly clock: Clock;
}

/** An image with its bytes open for reading; whoever got it closes it. */
export interface ImageWithBytes {
  readonly image: Image;
  readonly bytes: OpenedImage;
}

/** A message of ReadImage holds at most so many bytes. */
const messageBytes = 1024 * 1024;

/** Opens the caller's image for reading. Refusals are thrown as `ApiError`. */
export type OpenImage = (id: string, call: Call) => Promise<ImageWithBytes>;

/** The reader of image bytes that `ReadImage` and `GET /images/{id}/data` share. */
export function openImage(queries: ImageQueries, store: ImageStore): OpenImage {
  return async (id, call) => {
    const image = queries.get(id);
    const file = queries.fileOf(id);
    if (image?.owner !== call.owner || file === undefined) throw imageNotFound(id);
    const bytes = await store.openForRead(file);
    if (bytes !== undefined) return { image, bytes };
    if (queries.get(id) === undefined) throw imageNotFound(id);
    throw new ApiError('UNAVAILABLE', 'IMAGE_BYTES_MISSING', `The bytes of image ${id} are not in the store. Ask the operator to look after store-dir.`);
  };
}

/** `lehr.v1.ImageService`. */
export function imageService(deps: ImageServiceDeps): ImageMethods {
  const { images, queries, readSide, open, clock } = deps;

  const refuseForeign = (id: string, state: ImageState, call: Call): void => {
    if (state.status !== 'absent' && state.owner !== call.owner) throw imageNotFound(id);
  };

  return {
    async getImage({ id, readToken }, call) {
      requireId(id);
      await awaitReadToken(readSide, readToken, call.signal);
      const image = queries.get(id);
      if (image?.owner !== call.owner) throw imageNotFound(id);
      return { image };
    },

    async listImages(request, call) {
      const planned = planImageList(request, call.owner);
      if (!planned.ok) throw invalidArgument(planned.violations);
      await awaitReadToken(readSide, request.readToken, call.signal);
      const { plan } = planned;
      const { rows, nextPageToken } = plan.page(queries.list(plan, plan.orderBy, plan.limit));
      return { images: [...rows], nextPageToken };
    },

    async updateImage(request, call) {
      const id = request.image?.id ?? '';
      requireId(id, 'image.id');
      const change = changeOf(request);
      const executed = await orUnavailable(images.execute(id, (state) => {
        refuseForeign(id, state, call);
        const before = state.status === 'absent' ? { name: '', tags: [], properties: {} } : state.properties;
        return { type: 'updateImage', properties: { ...before, ...change }, now: clock.now() };
      }));
      if (executed.kind === 'refused' || executed.state.status === 'absent') throw imageNotFound(id);
      return { image: describeImage(executed.state), readToken: readTokenOf(executed.position) };
    },

    async deleteImage({ id }, call) {
      requireId(id);
      const executed = await orUnavailable(images.execute(id, (state) => {
        refuseForeign(id, state, call);
        return { type: 'deleteImage', now: clock.now() };
      }));
      if (executed.kind === 'refused' || executed.state.status === 'absent') throw imageNotFound(id);
      return { image: describeImage(executed.state), readToken: readTokenOf(executed.position) };
    },

    async *readImage({ id, offset, length }, call) {
      requireId(id);
      const { image, bytes } = await open(id, call);
      try {
        if (offset > image.sizeBytes) throw new ApiError('OUT_OF_RANGE', 'OFFSET_BEYOND_END', `offset: the image has ${image.sizeBytes} bytes.`);
        const rest = image.sizeBytes - offset;
        const count = Number(length === 0n || length > rest ? rest : length);
        yield* piecesOf(bytes, Number(offset), count);
      } finally {
        await bytes.close();
      }
    },
  };
}

/** The bytes in messages of at most `messageBytes`. Each has memory of its own, since it may wait for a slow reader. */
async function* piecesOf(bytes: OpenedImage, offset: number, count: number): AsyncGenerator<ReadImageResponse> {
  for (let position = offset; position < offset + count;) {
    const data = Buffer.allocUnsafe(Math.min(messageBytes, offset + count - position));
    const read = await bytes.read(data, position);
    if (read === 0) throw new Error(`The store gave ${position - offset} of ${count} bytes.`);
    yield { data: data.subarray(0, read) };
    position += read;
  }
}

/** What an update sets, by its mask; without one, by what is not empty (AIP-134). */
function changeOf({ image, updateMask }: UpdateImageRequest): Partial<ImageProperties> {
  const { name, tags, properties } = image ?? { name: '', tags: [], properties: {} };
  const values: ImageProperties = { name, tags, properties };
  const violations = checkImageProperties('image', values);
  const paths = maskOf(values, updateMask);
  paths.forEach((path) => {
    if (!(path in values)) violations.push({ field: 'update_mask', description: `"${path.slice(0, 64)}" cannot be changed; "name", "tags" and "properties" can` });
  });
  if (paths.length === 0) violations.push({ field: 'update_mask', description: 'names nothing to change, and the image holds nothing new' });
  if (violations.length > 0) throw invalidArgument(violations);
  return Object.fromEntries(Object.entries(values).filter(([path]) => paths.includes(path)));
}

function maskOf({ name, tags, properties }: ImageProperties, mask: readonly string[] | undefined): readonly string[] {
  if (mask?.includes('*') === true) return ['name', 'tags', 'properties'];
  if (mask !== undefined && mask.length > 0) return mask;
  return [
    ...(name === '' ? [] : ['name']),
    ...(tags.length === 0 ? [] : ['tags']),
    ...(Object.keys(properties).length === 0 ? [] : ['properties']),
  ];
}
