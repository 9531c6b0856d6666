import { statSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import type { Image } from '../../src/gen/lehr/v1/image.ts';
import type { Task } from '../../src/gen/lehr/v1/task.ts';
import { digestOf, qcow2Disk, rawDisk } from './harness/disk-images.ts';
import type { DiskImage } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitTask, createClone, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const shared = new Teardowns();
let source: SourceServer;
/** The region that is cloned from, and the one that clones. */
let dfw: LehrServer;
let ord: LehrServer;

test.before(async () => {
  source = await startSource(shared);
  dfw = await startServer(shared, await makeFolder(shared));
  ord = await startServer(shared, await makeFolder(shared), { regions: `dfw=${dfw.httpUrl}`, 'source-allow': 'none', 'attempt-limit': '2' });
});

test.after.always(() => shared.run());

const described = { name: 'web', tags: ['linux', 'stable'], properties: { os_distro: 'debian', os_version: '12' } };

/** An image of a region, imported from a path of the source with a secret behind it. */
async function makeImage(on: LehrServer, name: string, disk: DiskImage): Promise<Image> {
  const { id } = await createImport(on.api, `${source.serve(`/${name}`, gives(disk.bytes))}?token=secret`, {}, { image: described });
  return succeeded(on, await awaitTask(on.api, id));
}

async function succeeded({ api }: LehrServer, { id, state, failure }: Task): Promise<Image> {
  if (state !== 'STATE_SUCCEEDED') throw new Error(`the task ended as ${state}: ${failure?.message}`);
  return (await api.getImage({ id })).image!;
}

async function downloaded({ httpUrl }: LehrServer, id: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${httpUrl}/images/${id}/data`)).arrayBuffer());
}

/** What does not go by which of two images of the same bytes it is. */
const shown = ({ name, tags, properties, format, sizeBytes, virtualSizeBytes, digest, guestDigest, warnings }: Image) =>
  ({ name, tags, properties, format, sizeBytes, virtualSizeBytes, digest, guestDigest, warnings });

for (const disk of [qcow2Disk(512 * 1024, 1), rawDisk(3 * 1024 * 1024, 2)]) {
  test(`an image of another region comes whole, with all that is known of it: ${disk.format}`, async (t) => {
    const original = await makeImage(dfw, disk.format, disk);
    const { id } = await createClone(ord.api, { sourceRegion: 'dfw', imageId: original.id });
    const clone = await succeeded(ord, await awaitTask(ord.api, id));
    t.deepEqual(shown(clone), shown(original));
    t.deepEqual(clone.provenance, {
      sourceUri: '', sourceRegion: 'dfw', sourceImageId: original.id, originSourceUri: source.serve(`/${disk.format}`, gives(disk.bytes)),
      originSourceRegion: '', originSourceImageId: '',
    });
    t.is(digestOf(await downloaded(ord, id)), disk.digest);
    const events = await eventsOf(ord.api, `tasks/${id}`);
    t.deepEqual(story(events), [
      'taskCreated', 'attemptStarted', 'stageCompleted describe', 'stageCompleted fetch', 'stageCompleted inspect', 'imageStored', 'taskSucceeded',
    ]);
    const told = events.flatMap(({ payload }) => (payload?.$case === 'stageCompleted' && payload.value.stage === 'describe' ? [payload.value] : []));
    t.like(told[0], {
      format: disk.format,
      facts: { region: 'dfw', size_bytes: String(disk.bytes.length), digest: disk.digest, guest_digest: original.guestDigest },
    });
  });
}

test('what is asked for goes before what the source has, and both make the clone', async (t) => {
  const original = await makeImage(dfw, 'described', qcow2Disk(512 * 1024, 3));
  const image = { name: 'mirror', tags: ['copy'], properties: { os_version: '13', tier: 'gold' } };
  const [far, near] = await Promise.all([
    createClone(ord.api, { sourceRegion: 'dfw', imageId: original.id, image }).then(({ id }) => awaitTask(ord.api, id)).then((task) => succeeded(ord, task)),
    createClone(dfw.api, { imageId: original.id, image }).then(({ id }) => awaitTask(dfw.api, id)).then((task) => succeeded(dfw, task)),
  ]);
  for (const { name, tags, properties } of [far, near]) {
    t.deepEqual({ name, tags, properties }, { ...image, properties: { os_distro: 'debian', os_version: '13', tier: 'gold' } });
  }
});

test('a clone of the same region shares the stored bytes, and deleting either leaves the other whole', async (t) => {
  const disk = rawDisk(8 * 1024 * 1024, 4);
  const original = await makeImage(dfw, 'shared', disk);
  const fileOf = (id: string, attempt = 1): string => path.join(dfw.folder, 'store/images', `${id}.${attempt}`);
  const clones = await Promise.all([1, 2].map(async () => {
    const { id } = await createClone(dfw.api, { imageId: original.id });
    return succeeded(dfw, await awaitTask(dfw.api, id));
  }));
  for (const clone of clones) {
    t.deepEqual(shown(clone), shown(original));
    t.is(clone.provenance?.sourceImageId, original.id);
    t.is(statSync(fileOf(clone.id)).ino, statSync(fileOf(original.id)).ino);
    t.deepEqual(story(await eventsOf(dfw.api, `tasks/${clone.id}`)), ['taskCreated', 'attemptStarted', 'imageStored', 'taskSucceeded']);
  }
  t.is(statSync(fileOf(original.id)).nlink, 3);
  for (const gone of [original.id, clones[0]!.id]) {
    await dfw.api.deleteImage({ id: gone });
    t.is(digestOf(await downloaded(dfw, clones[1]!.id)), disk.digest);
  }
  const again = await createClone(dfw.api, { imageId: clones[1]!.id });
  const { provenance } = await succeeded(dfw, await awaitTask(dfw.api, again.id));
  t.deepEqual(provenance, {
    sourceUri: '', sourceRegion: '', sourceImageId: clones[1]!.id, originSourceUri: source.serve('/shared', gives(disk.bytes)),
    originSourceRegion: '', originSourceImageId: original.id,
  });
});
