import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { FailureError } from '../../src/domain/failures.ts';
import type { ExistingImage } from '../../src/domain/image/image.ts';
import type { ImageProperties } from '../../src/gen/lehr/v1/task.ts';
import { cloneHere } from '../../src/handlers/clone-here.ts';
import type { Attempt, StoredImage } from '../../src/handlers/handler.ts';
import { FolderStore } from '../../src/stores/folder/folder-store.ts';
import { at, stored, taskId } from '../domain/task-fixtures.ts';

const cloneId = '5f0c2a2e-8d3b-5c1a-9e57-3b7f6a1d4c20';
const file = `${taskId}.1`;

/** An image of the store that `blue` has. */
function imageWith(properties: Partial<ImageProperties>): ExistingImage {
  return {
    status: 'live', id: taskId, owner: 'blue', properties: { name: 'web', tags: [], properties: {}, ...properties }, revision: 1n,
    createTime: at(0), updateTime: at(0), registered: { ...stored(1), taskId, file },
  };
}

/** Clones in a store of its own; what was committed, or the failure. `finds`: what is found each time that somebody looks. */
async function clone(
  t: ExecutionContext, { finds, bytes = 'bytes', asked }: {
    readonly finds: readonly (ExistingImage | undefined)[]; readonly bytes?: string | undefined; readonly asked?: ImageProperties;
  },
): Promise<StoredImage | string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lehr-clone-'));
  const store = await FolderStore.open(folder);
  t.teardown(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const original = path.join(folder, 'images', file);
  if (bytes !== '') await writeFile(original, bytes);
  const found = [...finds];
  const committed: StoredImage[] = [];
  const attempt: Partial<Attempt> = {
    owner: 'blue',
    lastStage: (_name, work) => work({ taskId: cloneId, attempt: 2, signal: new AbortController().signal, progress: () => undefined }),
    commit: async (image) => void committed.push(image),
  };
  try {
    await cloneHere({ store, findImage: async () => found.shift() }, { sourceRegion: '', imageId: taskId, image: asked }, attempt as Attempt);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    t.deepEqual(committed, []);
    return error.failure.reason;
  }
  t.is((await stat(path.join(folder, 'images', `${cloneId}.2`))).ino, (await stat(original)).ino);
  t.deepEqual(await store.listStaging(), []);
  return committed[0]!;
}

test('a clone is what its original is, but for where it came from', async (t) => {
  const image = imageWith({ tags: ['a'], properties: { os: 'x' } });
  const { attempt: _, ...facts } = stored(1);
  t.deepEqual(await clone(t, { finds: [image] }), {
    ...facts, file: `${cloneId}.2`, image: { name: 'web', tags: ['a'], properties: { os: 'x' } },
    provenance: {
      sourceUri: '', sourceRegion: '', sourceImageId: taskId, originSourceUri: 'https://example.org/debian.qcow2', originSourceRegion: '',
      originSourceImageId: '',
    },
  });
});

test('an image that is gone when the attempt looks, or in the moment after, is IMAGE_NOT_FOUND', async (t) => {
  t.is(await clone(t, { finds: [undefined] }), 'REASON_IMAGE_NOT_FOUND');
  t.is(await clone(t, { finds: [imageWith({}), undefined], bytes: '' }), 'REASON_IMAGE_NOT_FOUND');
});

test('an image whose bytes the store has lost is no image that was deleted', async (t) => {
  t.is(await clone(t, { finds: [imageWith({}), imageWith({})], bytes: '' }), 'REASON_STORE_UNAVAILABLE');
});

test('more properties than an image may have, both together, are refused by name', async (t) => {
  const many = (prefix: string, count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, '']));
  const image = imageWith({ properties: many('a', 128) });
  t.is(await clone(t, { finds: [image], asked: { name: '', tags: [], properties: many('b', 1) } }), 'REASON_TOO_MANY_PROPERTIES');
  const replaced = await clone(t, { finds: [image], asked: { name: '', tags: [], properties: { a5: 'other' } } });
  t.is(typeof replaced === 'string' ? replaced : replaced.image?.properties['a5'], 'other');
});
