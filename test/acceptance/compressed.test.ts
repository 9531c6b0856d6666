import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import test from 'ava';

import type { StageCompleted } from '../../src/gen/lehr/v1/event.ts';
import { buildOva, descriptor } from '../archives/build-ova.ts';
import { zstdZeros } from '../codecs/bad-compressed.ts';
import { compress } from '../codecs/compress.ts';
import { noise } from '../formats/build/noise.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { awaitEmptyStaging, readDeadLog, storeFiles } from './harness/data-folder.ts';
import { digestOf, qcow2Disk, rawDisk } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { servedImages } from './harness/inventory.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const image = qcow2Disk(512 * 1024, 1);
const shared = new Teardowns();
let server: LehrServer;
let source: SourceServer;
let folder: string;

test.before(async () => {
  source = await startSource(shared);
  folder = await makeFolder(shared);
  server = await startServer(shared, folder, { 'max-image-bytes': '16MiB' });
});

test.after.always(() => shared.run());

const sent: (readonly [string, () => Buffer])[] = [
  ['gzip', () => gzipSync(image.bytes)],
  ['zstd', () => zstdCompressSync(image.bytes)],
  ['OVA', () => buildOva({ disk: image.bytes })],
  ['OVA with a compressed disk', () => buildOva({
    disk: gzipSync(image.bytes), descriptor: descriptor({ file: 'ovf:id="file1" ovf:href="disk.vmdk" ovf:compression="gzip"' }),
  })],
];
if (hasTool('compressors')) {
  sent.push(['xz', () => compress('xz', image.bytes)], ['bzip2', () => compress('bzip2', image.bytes)]);
}

for (const [name, pack] of sent) {
  test(`an image that comes as ${name} is stored as it is inside, and both digests are in the events`, async (t) => {
    const bytes = pack();
    const url = source.serve(`/${name.replaceAll(' ', '-')}`, gives(bytes));
    const { id } = await createImport(server.api, url, {}, { expectedDigest: digestOf(bytes), sourceFormat: 'DISK_FORMAT_QCOW2' });
    const task = await awaitTask(server.api, id);
    t.like(task, { state: 'STATE_SUCCEEDED', result: { digest: digestOf(image.bytes), sizeBytes: BigInt(image.bytes.length), format: 'DISK_FORMAT_QCOW2' } });
    const events = await eventsOf(server.api, `tasks/${id}`);
    t.deepEqual(story(events).slice(2, 5), ['stageCompleted fetch', 'stageCompleted decompress', 'stageCompleted inspect']);
    const [fetched, decoded] = events.slice(2, 4).map(({ payload }) => payload?.value as StageCompleted);
    t.like(fetched, { bytes: BigInt(bytes.length), digest: digestOf(bytes) });
    t.like(decoded, { bytes: BigInt(image.bytes.length), digest: digestOf(image.bytes) });
    t.is((await servedImages(server)).get(id), digestOf(image.bytes));
  });
}

if (hasTool('qemu-img')) test('an appliance as qemu-img and tar make it becomes an image', async (t) => {
  const work = mkdtempSync(join(tmpdir(), 'lehr-ova-'));
  t.teardown(() => rmSync(work, { recursive: true }));
  writeFileSync(join(work, 'disk.raw'), Buffer.concat([noise(512 * 1024, 6), Buffer.alloc(3 << 20)]));
  const run = (command: string, ...args: readonly string[]): void => void execFileSync(command, args, { cwd: work });
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', 'disk.raw', 'disk.vmdk');
  writeFileSync(join(work, 'vm.ovf'), descriptor());
  run('tar', '--format=ustar', '-cf', 'vm.ova', 'vm.ovf', 'disk.vmdk');
  const { id } = await createImport(server.api, source.serve('/appliance', gives(readFileSync(join(work, 'vm.ova')))));
  t.like(await awaitTask(server.api, id), { state: 'STATE_SUCCEEDED', result: { format: 'DISK_FORMAT_VMDK', digest: digestOf(readFileSync(join(work, 'disk.vmdk'))) } });
});

const refused: readonly (readonly [string, () => Buffer, { stage: string; reason: string; check: string }])[] = [
  ['a page that is compressed', () => gzipSync('<!doctype html><p>Sign in.'), { stage: 'decompress', reason: 'REASON_NOT_A_DISK_IMAGE', check: 'content.not_a_disk' }],
  ['a page that is declared as an image', () => Buffer.from('<!doctype html><p>Sign in.'), { stage: 'fetch', reason: 'REASON_NOT_A_DISK_IMAGE', check: 'content.not_a_disk' }],
  ['10 GiB of zeros in 300 kB', () => zstdZeros(10 * 2 ** 30), { stage: 'decompress', reason: 'REASON_DECOMPRESSION_LIMIT', check: 'compressed.too_large' }],
  ['an archive in gzip', () => gzipSync(buildOva({ disk: image.bytes })), { stage: 'decompress', reason: 'REASON_DECOMPRESSION_LIMIT', check: 'compressed.nested' }],
  ['a cut gzip', () => gzipSync(image.bytes).subarray(0, -20), { stage: 'decompress', reason: 'REASON_IMAGE_CORRUPT', check: 'compressed.truncated' }],
  ['an OVA whose disk is elsewhere', () => buildOva({ descriptor: descriptor({ file: 'ovf:id="file1" ovf:href="http://127.0.0.1/disk"' }) }),
    { stage: 'decompress', reason: 'REASON_IMAGE_UNSAFE', check: 'ova.file_reference' }],
  ['lz4', () => Buffer.from('\x04\x22\x4d\x18 and so on', 'latin1'), { stage: 'fetch', reason: 'REASON_NOT_A_DISK_IMAGE', check: 'content.compressed' }],
];

for (const [name, build, { stage, reason, check }] of refused) {
  test(`${name} is refused by ${check} in ${stage}`, async (t) => {
    const url = source.serve(`/bad/${check}/${stage}/${name.replaceAll(' ', '-')}`, gives(build()));
    const { id } = await createImport(server.api, url, {}, stage === 'fetch' ? { sourceFormat: 'DISK_FORMAT_QCOW2' } : {});
    const { state, failure } = await awaitTask(server.api, id);
    t.deepEqual([state, failure?.stage, failure?.reason, failure?.metadata['check']], ['STATE_FAILED', stage, reason, check] as never, failure?.message);
  });
}

test('the digest that was expected is that of the bytes as sent, and of nothing that is inside', async (t) => {
  const bytes = gzipSync(image.bytes);
  const { id } = await createImport(server.api, source.serve('/inside', gives(bytes)), {}, { expectedDigest: image.digest });
  t.like(await awaitTask(server.api, id), {
    state: 'STATE_FAILED', attempt: 1, failure: { reason: 'REASON_DIGEST_MISMATCH', stage: 'fetch', metadata: { expected: image.digest, actual: digestOf(bytes) } },
  });
});

test('a server that dies while it decompresses leaves the next one to do it anew, to one image', async (t) => {
  t.timeout(60_000);
  const large = rawDisk(96 * 2 ** 20, 2);
  const bytes = gzipSync(large.bytes, { level: 0 });
  const deadFolder = await makeFolder(t);
  const first = await startServer(t, deadFolder);
  const { id } = await createImport(first.api, source.serve('/large', gives(bytes)), {}, { expectedDigest: digestOf(bytes) });
  while (!storeFiles(deadFolder).staging.includes(`${id}.1.decoded`)) await delay(1);
  await first.kill('SIGKILL');
  t.deepEqual(readDeadLog(deadFolder).map(({ what }) => what), ['taskCreated', 'attemptStarted', 'stageCompleted fetch']);
  const second = await startServer(t, deadFolder);
  t.like(await awaitTask(second.api, id), { state: 'STATE_SUCCEEDED', attempt: 2, result: { digest: large.digest } });
  t.deepEqual([...await servedImages(second)], [[id, large.digest]]);
  await awaitEmptyStaging(deadFolder);
  t.deepEqual(storeFiles(deadFolder).images, [`${id}.2`]);
});

test.after('nothing of all that stays in the staging', async (t) => {
  await awaitEmptyStaging(folder);
  t.deepEqual(storeFiles(folder).staging, []);
});
