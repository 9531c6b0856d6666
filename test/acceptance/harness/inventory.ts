import { ImageRegistered } from '../../../src/gen/lehr/v1/event.ts';
import type { Api } from './api.ts';
import { digestOf } from './disk-images.ts';
import type { LehrServer } from './lehr-server.ts';

/** What a server shows of its images: for each its id, and the digest of the bytes that it really serves. */
export async function servedImages({ api, httpUrl }: LehrServer): Promise<ReadonlyMap<string, string>> {
  const { images, nextPageToken } = await api.listImages({ pageSize: 1_000 });
  if (nextPageToken !== '') throw new Error('more images than this reads');
  const served = new Map<string, string>();
  for (const { id } of images) {
    const response = await fetch(`${httpUrl}/images/${id}/data`);
    served.set(id, response.status === 200 ? digestOf(await response.bytes()) : `status ${response.status}`);
  }
  return served;
}

/** The names of the files that registered images say they are in, in order. */
export async function registeredFiles(api: Api): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const { event } of api.streamEvents({ subjectPrefix: 'images/' })) {
    if (event?.payload?.$case === 'imageRegistered') files.push(ImageRegistered.create(event.payload.value).file);
  }
  return files.toSorted();
}
