import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import test from 'ava';

import type { Compression, DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { buildIso } from '../formats/build/iso.ts';
import { mbr } from '../formats/build/raw.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { awaitEmptyStaging } from './harness/data-folder.ts';
import { digestOf, rawDisk } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { createExport, exportTo } from './harness/exports.ts';
import { FakePrograms } from './harness/fake-programs.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { refusalOf } from './harness/refused.ts';
import { gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const mebibyte = 2 ** 20;
/** A size that cylinders, heads and sectors do not make, with data and holes. */
const disk = Buffer.concat([rawDisk(mebibyte, 1).bytes, Buffer.alloc(2 * mebibyte), rawDisk(mebibyte, 2).bytes, Buffer.alloc(512, 7)]);

const shared = new Teardowns();
let server: LehrServer;
let source: SourceServer;
let root: string;
/** The disk as a raw image of the server, and the digest of what the guest sees of it. */
let image: { readonly id: string; readonly guestDigest: string };

test.before(async () => {
  source = await startSource(shared);
  root = await makeFolder(shared);
  server = await startServer(shared, await makeFolder(shared), { 'file-roots': root });
  image = await imported(server, '/disk', disk);
});

test.after.always(() => shared.run());

async function imported(into: LehrServer, at: string, bytes: Uint8Array): Promise<{ readonly id: string; readonly guestDigest: string }> {
  const { id } = await createImport(into.api, source.serve(at, gives(bytes)));
  const { state, result, failure } = await awaitTask(into.api, id);
  if (state !== 'STATE_SUCCEEDED') throw new Error(failure?.message);
  return { id, guestDigest: result!.guestDigest };
}

/** The path of a file below the root, and its address. */
const at = (name: string): { readonly file: string; readonly uri: string } => {
  const file = path.join(root, name);
  return { file, uri: pathToFileURL(file).href };
};

test('an image is exported as it is stored, sparse, whole and read back', async (t) => {
  const { file, uri } = at('as-stored.raw');
  const { id } = await createExport(server.api, image.id, uri, { format: 'DISK_FORMAT_RAW' });
  const task = await awaitTask(server.api, id);
  t.is(task.state, 'STATE_SUCCEEDED', task.failure?.message);
  t.deepEqual(task.result, {
    imageId: image.id, location: uri, digest: digestOf(disk), sizeBytes: BigInt(disk.length), format: 'DISK_FORMAT_RAW',
    guestDigest: image.guestDigest, verified: true,
  });
  t.true(readFileSync(file).equals(disk));
  t.true(statSync(file).blocks * 512 < disk.length - mebibyte, 'zeros take no room');
  t.deepEqual(story(await eventsOf(server.api, `tasks/${id}`)), ['taskCreated', 'attemptStarted', 'taskSucceeded']);
  await awaitEmptyStaging(server.folder);
});

test('a request that is sent again is answered with its task, though its image is gone by then', async (t) => {
  const { id: imageId } = await imported(server, '/repeated', rawDisk(64 * 1024, 9).bytes);
  const request = { ...exportTo(imageId, at('repeated').uri, { format: 'DISK_FORMAT_RAW' }), requestId: 'once' };
  const { task } = await server.api.createTask(request);
  await awaitTask(server.api, task?.id ?? '');
  await server.api.deleteImage({ id: imageId });
  t.is((await server.api.createTask(request)).task?.id, task?.id);
  const refusal = await refusalOf(server.api.createTask({ ...request, requestId: 'twice' }));
  t.deepEqual(refusal.violations.map(({ field }) => field), ['spec.export_image.image_id']);
});

test('nothing becomes an ISO that is none, and that is said at once', async (t) => {
  const refusal = await refusalOf(server.api.createTask(exportTo(image.id, at('no-disc').uri, { format: 'DISK_FORMAT_ISO' })));
  t.deepEqual(refusal.violations.map(({ field }) => field), ['spec.export_image.format']);
});

test('a server that cannot run qemu-img exports images as they are stored, and refuses the rest at once', async (t) => {
  // Its bubblewrap does not work, and the setting sandbox is what it is by itself.
  const { options } = await FakePrograms.make(t);
  const bare = await startServer(t, await makeFolder(t), { 'file-roots': root }, options);
  const { id: imageId } = await imported(bare, '/bare', disk);
  const task = await awaitTask(bare.api, (await createExport(bare.api, imageId, at('bare.raw').uri, { format: 'DISK_FORMAT_RAW' })).id);
  t.is(task.state, 'STATE_SUCCEEDED', task.failure?.message);
  const refusal = await refusalOf(bare.api.createTask(exportTo(imageId, at('bare.qcow2').uri)));
  t.deepEqual(refusal.violations.map(({ field }) => field), ['spec.export_image.format']);
  t.regex(refusal.message, /converts nothing/);
});

if (hasTool('qemu-img') && hasTool('bubblewrap')) {
  const made: readonly (readonly [format: DiskFormat, driver: string, compression: Compression, options: RegExp])[] = [
    ['DISK_FORMAT_UNSPECIFIED', 'qcow2', 'COMPRESSION_UNSPECIFIED', /"compat": "1\.1"/],
    ['DISK_FORMAT_QCOW2', 'qcow2', 'COMPRESSION_ZLIB', /"compression-type": "zlib"/],
    ['DISK_FORMAT_QCOW2', 'qcow2', 'COMPRESSION_ZSTD', /"compression-type": "zstd"/],
    ['DISK_FORMAT_VMDK', 'vmdk', 'COMPRESSION_UNSPECIFIED', /streamOptimized/],
    ['DISK_FORMAT_VHD', 'vpc', 'COMPRESSION_NONE', /"format": "vpc"/],
    ['DISK_FORMAT_VHDX', 'vhdx', 'COMPRESSION_UNSPECIFIED', /"format": "vhdx"/],
    ['DISK_FORMAT_VDI', 'vdi', 'COMPRESSION_UNSPECIFIED', /"format": "vdi"/],
  ];
  for (const [format, driver, compression, options] of made) {
    test(`an export as ${format} with ${compression} is the same disk, says qemu-img and says the guest digest`, async (t) => {
      const { file, uri } = at(`made-${format}-${compression}`);
      const { id } = await createExport(server.api, image.id, uri, { format, compression });
      const task = await awaitTask(server.api, id);
      t.is(task.state, 'STATE_SUCCEEDED', task.failure?.message);
      const bytes = readFileSync(file);
      const kept = format === 'DISK_FORMAT_UNSPECIFIED' ? 'DISK_FORMAT_QCOW2' : format;
      t.deepEqual(task.result, {
        imageId: image.id, location: uri, digest: digestOf(bytes), sizeBytes: BigInt(bytes.length), format: kept,
        guestDigest: image.guestDigest, verified: true,
      });
      const original = at(`original-of-${format}-${compression}`).file;
      writeFileSync(original, disk);
      execFileSync('qemu-img', ['compare', '-f', 'raw', '-F', driver, original, file]);
      t.regex(execFileSync('qemu-img', ['info', '-f', driver, '--output=json', file], { encoding: 'utf8' }), options);
      const events = await eventsOf(server.api, `tasks/${id}`);
      t.deepEqual(story(events), ['taskCreated', 'attemptStarted', 'stageCompleted convert', 'taskSucceeded']);
      t.like(events[2]?.payload?.value, {
        bytes: BigInt(bytes.length), digest: digestOf(bytes), format: kept, facts: { guest_digest: image.guestDigest },
      });
    });
  }

  test('a compressed qcow2 is smaller than a plain one', async (t) => {
    const text = Buffer.alloc(2 * mebibyte, 'what is said twice is said too often\n');
    mbr(text);
    const { id: imageId } = await imported(server, '/text', text);
    const sizes = await Promise.all((['NONE', 'ZLIB', 'ZSTD'] as const).map(async (name) => {
      const { file, uri } = at(`text-${name}`);
      const { id } = await createExport(server.api, imageId, uri, { compression: `COMPRESSION_${name}` });
      const task = await awaitTask(server.api, id);
      t.is(task.state, 'STATE_SUCCEEDED', task.failure?.message);
      return statSync(file).size;
    }));
    const [plain = 0, ...compressed] = sizes;
    for (const size of compressed) t.true(size < plain / 4);
  });

  test('a disc is exported as a qcow2 that holds it, or as it is', async (t) => {
    const bytes = buildIso();
    const { id: imageId, guestDigest } = await imported(server, '/disc', bytes);
    for (const format of ['DISK_FORMAT_QCOW2', 'DISK_FORMAT_ISO'] as const) {
      const { file, uri } = at(`disc-${format}`);
      const { id } = await createExport(server.api, imageId, uri, { format });
      const task = await awaitTask(server.api, id);
      t.like(task, { state: 'STATE_SUCCEEDED', result: { format, guestDigest } }, task.failure?.message);
      if (format === 'DISK_FORMAT_ISO') t.true(readFileSync(file).equals(bytes));
    }
  });
}
