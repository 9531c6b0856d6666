import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnSync } from 'node:child_process';

import test from 'ava';

import type { Task } from '../../src/gen/lehr/v1/task.ts';
import { u32be, u64be } from '../formats/build/change.ts';
import { buildQcow2 } from '../formats/build/qcow2.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { awaitEmptyStaging, storeFiles } from './harness/data-folder.ts';
import { descendantsOf, stillAlive } from './harness/descendants.ts';
import type { KnownProcess } from './harness/descendants.ts';
import { rawDisk } from './harness/disk-images.ts';
import { FakePrograms, without } from './harness/fake-programs.ts';
import { servedImages } from './harness/inventory.ts';
import { logLines, makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { scrape } from './harness/scrape.ts';
import { gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';
import { mayMount, mountTmpfs } from './harness/tmpfs.ts';

const mebibyte = 2 ** 20;
const image = rawDisk(mebibyte, 1);

/** A qemu-img has to be gone this soon after the cancel. */
const stopWithinMs = 2_000;

const shared = new Teardowns();
let source: SourceServer;
let url: string;

/** The children of a server that run this. */
async function awaitProgram(server: LehrServer, name: string): Promise<readonly KnownProcess[]> {
  for (;;) {
    const started = descendantsOf(server.process.child.pid!);
    if (started.some(({ line }) => line.startsWith(name))) return started;
    await delay(5);
  }
}

async function awaitEnd(processes: readonly KnownProcess[]): Promise<void> {
  while (stillAlive(processes).length > 0) await delay(5);
}

async function convert(server: LehrServer, storeFormat: 'DISK_FORMAT_QCOW2' | 'DISK_FORMAT_VHD' = 'DISK_FORMAT_QCOW2'): Promise<Task> {
  const { id } = await createImport(server.api, url, {}, { storeFormat });
  return awaitTask(server.api, id);
}

test.before(async () => {
  source = await startSource(shared);
  url = source.serve('/disk', gives(image.bytes));
});

test.after.always(() => shared.run());

if (hasTool('qemu-img')) {
  let programs: FakePrograms;
  let server: LehrServer;

  test.before(async () => {
    programs = await FakePrograms.make(shared);
    // Without a bubblewrap that works the scripts see the machine, which they need.
    server = await startServer(shared, await makeFolder(shared), { sandbox: 'weak', 'max-image-bytes': '8MiB' }, programs.options);
  });

  const other = 'of another disk';
  type Metadata = Readonly<Record<string, string>>;
  const bad: readonly (readonly [title: string, script: string, message: RegExp, metadata: Metadata, content?: Buffer])[] = [
    ['dies of a segmentation fault', 'kill -SEGV $$', /^qemu-img died of SIGSEGV/, { signal: 'SIGSEGV' }],
    ['is killed, as by the kernel for want of memory', 'kill -KILL $$', /^qemu-img died of SIGKILL/, { signal: 'SIGKILL' }],
    ['prints gigabytes', 'exec yes', /printed far more/, {}],
    ['complains without end', 'exec yes >&2', /printed far more/, {}],
    ['fills the disk', 'exec cat /dev/zero > "$target"', /larger than the limit of 8388608 bytes/, { max_image_bytes: '8388608' }],
    ['says that it failed', 'echo "qemu-img: no luck" >&2; exit 1', /"qemu-img: no luck"/, { exit_code: '1', stderr: 'qemu-img: no luck' }],
    ['writes nothing and says that it is done', 'exit 0', /What the conversion made is refused/, { check: 'raw.empty' }],
    ['writes a disk that was cut', 'cat "$0.made" > "$target"', /declared as qcow2/, { check: 'format.mismatch' }, image.bytes.subarray(512)],
    ['writes an image that leads elsewhere', 'cat "$0.made" > "$target"', /What the conversion made is refused/, { check: 'qcow2.backing_file' },
      buildQcow2(3, u64be(8, 512n), u32be(16, 11))],
    [`writes an image ${other}`, 'cat "$0.made" > "$target"', /the guest digests differ/, { virtual_size_expected: String(mebibyte) }, buildQcow2(3)],
  ];
  for (const [title, script, message, metadata, content] of bad) {
    test.serial(`a qemu-img that ${title} fails the conversion, once`, async (t) => {
      programs.behave(script, content);
      const { state, attempt, failure, id } = await convert(server);
      t.like({ state, attempt, ...failure, metadata: undefined },
        { state: 'STATE_FAILED', attempt: 1, reason: 'REASON_CONVERSION_FAILED', stage: 'convert', retryable: false, metadata: undefined }, failure?.message);
      t.regex(failure!.message, message);
      t.like({ ...failure!.metadata, any: '' }, { ...metadata, any: '' });
      if (title.endsWith(other)) t.notDeepEqual(failure!.metadata['expected'], failure!.metadata['actual']);
      await awaitEmptyStaging(server.folder);
      t.deepEqual((await server.api.listImages({})).images.filter((made) => made.id === id), []);
    });
  }

  test.serial('a qemu-img that hangs is killed by a cancel, with its children', async (t) => {
    programs.behave('sleep 301 & sleep 302');
    const { id } = await createImport(server.api, url, {}, { storeFormat: 'DISK_FORMAT_QCOW2' });
    const started = await awaitProgram(server, 'sleep 302');
    const askedMs = performance.now();
    await server.api.cancelTask({ id });
    t.like(await awaitTask(server.api, id), { state: 'STATE_CANCELED', attempt: 1 });
    await awaitEnd(started);
    t.true(performance.now() - askedMs < stopWithinMs);
    await awaitEmptyStaging(server.folder);
    t.deepEqual(storeFiles(server.folder).images, []);
  });

  test.serial('a server that dies takes a qemu-img that hangs with it, and the next one converts anew, to one image', async (t) => {
    programs.behave('exec sleep 303');
    const folder = await makeFolder(t);
    const first = await startServer(t, folder, { sandbox: 'weak' }, programs.options);
    const canceled = await createImport(first.api, url, {}, { storeFormat: 'DISK_FORMAT_QCOW2' });
    await awaitProgram(first, 'sleep 303');
    await first.api.cancelTask({ id: canceled.id });
    await awaitTask(first.api, canceled.id);
    await awaitEmptyStaging(folder);
    const { id } = await createImport(first.api, url, {}, { storeFormat: 'DISK_FORMAT_QCOW2' });
    const started = await awaitProgram(first, 'sleep 303');
    await first.kill('SIGKILL');
    await awaitEnd(started);
    t.deepEqual(storeFiles(folder).staging.toSorted(), [`${id}.1`, `${id}.1.converted`]);
    // As if the server had died before it cleared up.
    for (const part of ['', '.decoded', '.converted']) writeFileSync(path.join(folder, 'store/staging', `${canceled.id}.1${part}`), '');
    programs.behave('exec "$real" "$@"');
    const second = await startServer(t, folder, { sandbox: 'weak' }, programs.options);
    const task = await awaitTask(second.api, id);
    t.like(task, { state: 'STATE_SUCCEEDED', attempt: 2, result: { format: 'DISK_FORMAT_QCOW2' } }, task.failure?.message);
    t.deepEqual([...await servedImages(second)], [[id, task.result!.digest]]);
    await awaitEmptyStaging(folder);
    t.deepEqual(storeFiles(folder).images, [`${id}.2`]);
  });

  test.serial('a server that settles for a weak sandbox says what it goes without', (t) => {
    const [warning] = logLines(server).filter(({ missing }) => missing !== undefined);
    t.regex(String(warning?.['msg']), /qemu-img sees what this server sees/);
  });

  test.serial('a server that cannot isolate qemu-img says so, converts nothing and imports the rest', async (t) => {
    const strict = await startServer(t, await makeFolder(t), {}, programs.options);
    const [warning] = logLines(strict).filter(({ missing }) => missing !== undefined);
    t.regex(String(warning?.['missing']), /cannot be isolated.*sandbox: weak/);
    const task = await convert(strict);
    t.like(task, { state: 'STATE_FAILED', attempt: 1, failure: { reason: 'REASON_FORMAT_UNSUPPORTED', stage: 'inspect' } });
    t.regex(task.failure!.message, /cannot be isolated.*sandbox: weak/);
    const { id } = await createImport(strict.api, url);
    t.is((await awaitTask(strict.api, id)).state, 'STATE_SUCCEEDED');
  });
}

if (mayMount() && spawnSync('unshare', ['--mount', 'true']).status === 0) {
  test.serial('a server without qemu-img says so, refuses conversions with what to install, and imports the rest', async (t) => {
    const server = await startServer(t, await makeFolder(t), {}, without('qemu-img'));
    const [warning] = logLines(server).filter(({ missing }) => missing !== undefined);
    t.regex(String(warning?.['missing']), /qemu-img is missing: install it/);
    const plain = source.serve('/plain', gives(image.bytes));
    const vain = await createImport(server.api, plain, {}, { sourceFormat: 'DISK_FORMAT_RAW', storeFormat: 'DISK_FORMAT_QCOW2' });
    const task = await awaitTask(server.api, vain.id);
    t.like(task, { state: 'STATE_FAILED', attempt: 1, failure: { reason: 'REASON_FORMAT_UNSUPPORTED' } });
    t.regex(task.failure!.message, /qemu-img is missing: install it/);
    t.is(source.count('/plain'), 0, 'the bytes are not fetched in vain');
    t.like(await convert(server), { state: 'STATE_FAILED', failure: { reason: 'REASON_FORMAT_UNSUPPORTED', stage: 'inspect' } });
    for (const storeFormat of ['DISK_FORMAT_UNSPECIFIED', 'DISK_FORMAT_RAW'] as const) {
      const { id } = await createImport(server.api, plain, {}, { storeFormat });
      t.like(await awaitTask(server.api, id), { state: 'STATE_SUCCEEDED', result: { digest: image.digest } });
    }
    t.is((await scrape(server.httpUrl)).get('lehr_programs_started_total{program="qemu-img"}'), undefined);
  });
}

if (mayMount() && hasTool('qemu-img')) {
  test.serial('a disk that is full in a conversion fails the attempt, and the next one succeeds once there is room', async (t) => {
    const store = mountTmpfs(t, 6 * mebibyte);
    const server = await startServer(t, await makeFolder(t), { 'store-dir': store, 'attempt-limit': '100' });
    const large = rawDisk(4 * mebibyte, 2);
    const { id } = await createImport(server.api, source.serve('/large', gives(large.bytes)), {}, { storeFormat: 'DISK_FORMAT_QCOW2' });
    const waiting = await awaitTask(server.api, id, ({ state, failure }) => state === 'STATE_PENDING' && failure !== undefined);
    t.like(waiting.failure, { reason: 'REASON_STORE_FULL', stage: 'convert', retryable: true, metadata: { path: `staging/${id}.${waiting.attempt}.converted` } });
    spawnSync('mount', ['-o', `remount,size=${32 * mebibyte}`, store]);
    const task = await awaitTask(server.api, id);
    t.like(task, { state: 'STATE_SUCCEEDED', result: { format: 'DISK_FORMAT_QCOW2' } }, task.failure?.message);
    t.deepEqual([...await servedImages(server)], [[id, task.result!.digest]]);
  });
}
