import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import test from 'ava';

import type { StageCompleted } from '../../src/gen/lehr/v1/event.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { buildIso } from '../formats/build/iso.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { awaitEmptyStaging, storeFiles } from './harness/data-folder.ts';
import { descendantsOf, stillAlive } from './harness/descendants.ts';
import { digestOf, qcow2Disk, rawDisk } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { servedImages } from './harness/inventory.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitStage, awaitTask, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const mebibyte = 2 ** 20;
/** A size that cylinders, heads and sectors do not make, with data and holes. */
const disk = Buffer.concat([rawDisk(mebibyte, 1).bytes, Buffer.alloc(2 * mebibyte), rawDisk(mebibyte, 2).bytes, Buffer.alloc(512, 7)]);
/** Which takes a second or more to compress. */
const noise = rawDisk(32 * mebibyte, 4);

/** A conversion has to stop this soon after its cancel was asked for. */
const stopWithinMs = 2_000;

const drivers = { RAW: 'raw', QCOW2: 'qcow2', VMDK: 'vmdk', VHD: 'vpc', VHDX: 'vhdx', VDI: 'vdi' } as const;
type Name = keyof typeof drivers;

const shared = new Teardowns();
let server: LehrServer;
let source: SourceServer;
let work: string;

/** The disk in a format, as qemu-img makes it. */
function imageOf(name: Name): Buffer {
  const [raw, made] = [path.join(work, 'disk.raw'), path.join(work, `disk.${name}`)];
  writeFileSync(raw, disk);
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', drivers[name], ...(name === 'VHD' ? ['-o', 'force_size=on'] : []), raw, made]);
  return readFileSync(made);
}

const formatOf = (name: Name): DiskFormat => `DISK_FORMAT_${name}`;

if (hasTool('qemu-img') && hasTool('bubblewrap')) {
  test.before(async () => {
    source = await startSource(shared);
    work = await makeFolder(shared);
    server = await startServer(shared, await makeFolder(shared));
  });

  test.after.always(() => shared.run());

  const pairs: readonly (readonly [from: Name, to: Name])[] = [
    ['RAW', 'QCOW2'], ['QCOW2', 'RAW'], ['RAW', 'VMDK'], ['VMDK', 'QCOW2'], ['QCOW2', 'VHD'], ['VHD', 'VHDX'], ['VHDX', 'VDI'], ['VDI', 'RAW'],
  ];
  for (const [from, to] of pairs) {
    test(`a ${from} that is to be kept as ${to} becomes one, with the same disk in it`, async (t) => {
      const bytes = imageOf(from);
      const url = source.serve(`/${from}-${to}`, gives(bytes));
      const { id } = await createImport(server.api, url, {}, { storeFormat: formatOf(to), expectedDigest: digestOf(bytes) });
      const asItIs = await createImport(server.api, url);
      const task = await awaitTask(server.api, id);
      t.is(task.state, 'STATE_SUCCEEDED', task.failure?.message);
      const kept = await awaitTask(server.api, asItIs.id);
      const served = await fetch(`${server.httpUrl}/images/${id}/data`).then((response) => response.bytes());
      const { guestDigest } = kept.result!;
      t.like(task.result, { format: formatOf(to), digest: digestOf(served), sizeBytes: BigInt(served.length), guestDigest });
      t.regex(guestDigest, /^\S+:[0-9a-f]{64}$/);
      if (to === 'RAW') t.true(Buffer.from(served).equals(disk));
      const events = await eventsOf(server.api, `tasks/${id}`);
      t.deepEqual(story(events).slice(2), ['stageCompleted fetch', 'stageCompleted inspect', 'stageCompleted convert', 'imageStored', 'taskSucceeded']);
      const [fetched, inspected, converted] = events.slice(2, 5).map(({ payload }) => payload!.value as StageCompleted);
      t.like(fetched, { digest: digestOf(bytes) });
      t.like(inspected, { format: formatOf(from), facts: { guest_digest: guestDigest } });
      t.like(converted, { format: formatOf(to), digest: digestOf(served), facts: { guest_digest: guestDigest } });
      t.true(converted!.virtualSizeBytes >= BigInt(disk.length));
      t.deepEqual(story(await eventsOf(server.api, `tasks/${asItIs.id}`)).includes('stageCompleted convert'), false);
    });
  }

  test('an image that is already of the format is kept as it came', async (t) => {
    const image = qcow2Disk(mebibyte, 3);
    const { id } = await createImport(server.api, source.serve('/already', gives(image.bytes)), {}, { storeFormat: 'DISK_FORMAT_QCOW2' });
    t.like(await awaitTask(server.api, id), { state: 'STATE_SUCCEEDED', result: { digest: image.digest } });
    t.false(story(await eventsOf(server.api, `tasks/${id}`)).includes('stageCompleted convert'));
  });

  test('a disc becomes a qcow2 that holds it', async (t) => {
    const { id } = await createImport(server.api, source.serve('/disc', gives(buildIso())), {}, { storeFormat: 'DISK_FORMAT_QCOW2' });
    const task = await awaitTask(server.api, id);
    t.like(task, { state: 'STATE_SUCCEEDED', result: { format: 'DISK_FORMAT_QCOW2' } }, task.failure?.message);
  });

  test('nothing becomes an ISO that was none', async (t) => {
    const { id } = await createImport(server.api, source.serve('/no-disc', gives(disk)), {}, { storeFormat: 'DISK_FORMAT_ISO' });
    t.like(await awaitTask(server.api, id), { state: 'STATE_FAILED', attempt: 1, failure: { reason: 'REASON_FORMAT_UNSUPPORTED', stage: 'inspect' } });
  });

  test('what comes compressed is decompressed first and converted then', async (t) => {
    const bytes = gzipSync(disk);
    const { id } = await createImport(server.api, source.serve('/gz', gives(bytes)), {}, { storeFormat: 'DISK_FORMAT_QCOW2', expectedDigest: digestOf(bytes) });
    const task = await awaitTask(server.api, id);
    t.like(task, { state: 'STATE_SUCCEEDED', result: { format: 'DISK_FORMAT_QCOW2' } }, task.failure?.message);
    t.deepEqual(story(await eventsOf(server.api, `tasks/${id}`)).slice(2, 6),
      ['stageCompleted fetch', 'stageCompleted decompress', 'stageCompleted inspect', 'stageCompleted convert']);
  });

  for (const outer of ['QCOW2', 'VMDK'] as const) {
    test(`a qcow2 in a ${outer} is refused before a conversion would bring it to light`, async (t) => {
      const [inner, made] = [path.join(work, `inner-${outer}`), path.join(work, `outer-${outer}`)];
      writeFileSync(inner, qcow2Disk(mebibyte, 5).bytes);
      const options = outer === 'VMDK' ? ['-o', 'subformat=streamOptimized'] : ['-c'];
      execFileSync('qemu-img', ['convert', ...options, '-f', 'raw', '-O', drivers[outer], inner, made]);
      const { id } = await createImport(server.api, source.serve(`/nested-${outer}`, gives(readFileSync(made))), {}, { storeFormat: 'DISK_FORMAT_RAW' });
      t.like(await awaitTask(server.api, id), {
        state: 'STATE_FAILED', attempt: 1, failure: { reason: 'REASON_IMAGE_UNSAFE', stage: 'inspect', metadata: { check: 'nested_format', found: 'qcow2' } },
      });
    });
  }

  test('a cancel in the middle of a conversion ends it at once, and nothing of it is left', async (t) => {
    const { id } = await createImport(server.api, source.serve('/canceled', gives(noise.bytes)), {}, { storeFormat: 'DISK_FORMAT_VMDK' });
    await awaitStage(server.api, id, 'convert');
    const askedMs = performance.now();
    await server.api.cancelTask({ id });
    t.like(await awaitTask(server.api, id), { state: 'STATE_CANCELED', attempt: 1 });
    t.true(performance.now() - askedMs < stopWithinMs);
    await awaitEmptyStaging(server.folder);
  });

  test.after('of all conversions nothing stays but the images', async (t) => {
    await awaitEmptyStaging(server.folder);
    t.deepEqual(descendantsOf(server.process.child.pid!), []);
  });

  test('a server that dies in a conversion takes qemu-img with it, and the next one converts anew', async (t) => {
    t.timeout(120_000);
    const folder = await makeFolder(t);
    const first = await startServer(t, folder);
    const { id } = await createImport(first.api, source.serve('/noise', gives(noise.bytes)), {}, { storeFormat: 'DISK_FORMAT_VMDK' });
    await awaitStage(first.api, id, 'convert');
    const started = descendantsOf(first.process.child.pid!);
    t.true(started.some(({ line }) => line.includes('qemu-img convert')), started.map(({ line }) => line).join('\n'));
    await first.kill('SIGKILL');
    while (stillAlive(started).length > 0) await delay(5);
    t.true(storeFiles(folder).staging.includes(`${id}.1.converted`));
    const second = await startServer(t, folder);
    const task = await awaitTask(second.api, id);
    t.like(task, { state: 'STATE_SUCCEEDED', attempt: 2, result: { format: 'DISK_FORMAT_VMDK' } }, task.failure?.message);
    t.deepEqual([...await servedImages(second)], [[id, task.result!.digest]]);
    await awaitEmptyStaging(folder);
    t.deepEqual(storeFiles(folder).images, [`${id}.2`]);
  });
}
