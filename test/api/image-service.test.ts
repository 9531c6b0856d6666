import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';

import test from 'ava';

import type { Image } from '../../src/gen/lehr/v1/image.ts';
import { digestOf, qcow2Disk, rawDisk } from '../acceptance/harness/disk-images.ts';
import type { DiskImage } from '../acceptance/harness/disk-images.ts';
import { storeFiles } from '../acceptance/harness/data-folder.ts';
import { eventsOf, story } from '../acceptance/harness/events.ts';
import { makeFolder, startServer } from '../acceptance/harness/lehr-server.ts';
import { refusalOf } from '../acceptance/harness/refused.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { serveHere } from './serve-here.ts';
import type { ServerHere } from './serve-here.ts';

const shared = new Teardowns();
let source: SourceServer;
let server: ServerHere;

/** The digest of a guest's disk that holds nothing: SHA-256 over no block. */
const noData = `sha256:${createHash('sha256').digest('hex')}`;

test.before(async () => {
  source = await startSource(shared);
  server = await serveHere(shared, await makeFolder(shared));
});

test.after.always(() => shared.run());

/** Imports an image and gives it as the service shows it. */
async function makeImage(on: Pick<ServerHere, 'api'>, name: string, disk: DiskImage): Promise<Image> {
  const { id } = await createImport(on.api, source.serve(`/${name}`, gives(disk.bytes)), {}, {
    image: { name, tags: ['new'], properties: { os_distro: 'debian' } },
  });
  const { state } = await awaitTask(on.api, id);
  if (state !== 'STATE_SUCCEEDED') throw new Error(`the import ended as ${state}`);
  return (await on.api.getImage({ id })).image!;
}

test('an image shows what it holds and what made it', async (t) => {
  const disk = qcow2Disk(512 * 1024, 1);
  const image = await makeImage(server, 'shown', disk);
  t.deepEqual(image, {
    id: image.id, taskId: image.id, owner: 'default', name: 'shown', tags: ['new'], properties: { os_distro: 'debian' },
    format: 'DISK_FORMAT_QCOW2', sizeBytes: 524_288n, virtualSizeBytes: 1_048_576n, digest: disk.digest, guestDigest: noData, warnings: [],
    revision: 1n, createTime: image.createTime, updateTime: image.createTime,
    provenance: {
      sourceUri: source.serve('/shown', gives(disk.bytes)), sourceRegion: '', sourceImageId: '', originSourceUri: '', originSourceRegion: '', originSourceImageId: '',
    },
  });
  t.deepEqual((await server.api.listImages({ filter: 'name = "shown"' })).images, [image]);
});

test('bytes are read over gRPC from any place, in pieces of at most 1 MiB', async (t) => {
  const disk = rawDisk(3 * 1024 * 1024 + 512, 2);
  const { id } = await makeImage(server, 'read', disk);
  const size = BigInt(disk.bytes.length);
  const parts: readonly (readonly [offset: bigint, length: bigint])[] = [
    [0n, 0n], [0n, 1n], [1n, 0n], [512n, 1_000_000n], [size - 1n, 5n], [size, 0n], [size, 9n],
  ];
  for (const [offset, length] of parts) {
    const pieces: Uint8Array[] = [];
    for await (const { data } of server.api.readImage({ id, offset, length })) pieces.push(data);
    const end = length === 0n ? disk.bytes.length : Number(offset + length);
    t.is(digestOf(Buffer.concat(pieces)), digestOf(disk.bytes.subarray(Number(offset), end)), `${offset}, ${length}`);
    t.true(pieces.every(({ length: sizeBytes }) => sizeBytes <= 1024 * 1024));
  }
});

test('an update changes what its mask names, and nothing else', async (t) => {
  const before = await makeImage(server, 'updated', rawDisk(64 * 1024, 3));
  const { id } = before;
  const renamed = await server.api.updateImage({ image: { id, name: 'new name' } });
  t.deepEqual({ ...renamed.image, updateTime: undefined }, { ...before, name: 'new name', revision: 2n, updateTime: undefined });
  t.deepEqual((await server.api.getImage({ id, readToken: renamed.readToken })).image, renamed.image);
  const masked = await server.api.updateImage({ image: { id, name: 'ignored', tags: [] }, updateMask: ['tags'] });
  t.like(masked.image, { name: 'new name', tags: [], properties: { os_distro: 'debian' }, revision: 3n });
  const all = await server.api.updateImage({ image: { id, name: 'last' }, updateMask: ['*'] });
  t.like(all.image, { name: 'last', tags: [], properties: {}, revision: 4n });
  t.deepEqual(story(await eventsOf(server.api, `images/${id}`)), ['imageRegistered', 'imageUpdated', 'imageUpdated', 'imageUpdated']);
  // The bytes and their digest are the same as ever.
  t.is((await server.api.getImage({ id })).image?.digest, before.digest);
});

test('an image that is deleted is gone at every door, and so are its bytes; its history stays', async (t) => {
  const own = await startServer(t, await makeFolder(t));
  const image = await makeImage(own, 'deleted', rawDisk(64 * 1024, 4));
  const { id } = image;
  const data = `${own.httpUrl}/images/${id}/data`;
  t.is((await fetch(data, { method: 'HEAD' })).status, 200);
  const deleted = await own.api.deleteImage({ id });
  t.like(deleted.image, { id, name: 'deleted', digest: image.digest });
  t.like(await refusalOf(own.api.getImage({ id, readToken: deleted.readToken })), { code: 'NOT_FOUND', reason: 'IMAGE_NOT_FOUND' });
  t.deepEqual((await own.api.listImages({})).images, []);
  t.is((await fetch(data)).status, 404);
  t.like(await refusalOf(own.api.updateImage({ image: { id, name: 'x' } })), { code: 'NOT_FOUND' });
  t.deepEqual(story(await eventsOf(own.api, `images/${id}`)), ['imageRegistered', 'imageDeleted']);
  t.is((await own.api.getTask({ id })).task?.state, 'STATE_SUCCEEDED');
  t.deepEqual(await own.kill('SIGTERM'), { code: 0, signal: null });
  const next = await serveHere(t, own.folder);
  t.like(await refusalOf(next.api.getImage({ id })), { code: 'NOT_FOUND' });
  await next.stop();
  t.deepEqual(storeFiles(own.folder), { staging: [], images: [] });
});

test('the bytes of an image that were taken from the store are missed, not made up', async (t) => {
  const own = await serveHere(t, await makeFolder(t));
  const { id } = await makeImage(own, 'missing', rawDisk(64 * 1024, 5));
  await unlink(`${own.folder}/store/images/${id}.1`);
  const response = await fetch(`${own.httpUrl}/images/${id}/data`);
  t.is(response.status, 503);
  t.true((await response.text()).includes('IMAGE_BYTES_MISSING'));
});
