import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { sandboxGroup } from '../../src/sandbox/lend-file.ts';
import { probeSandbox } from '../../src/sandbox/probe-sandbox.ts';
import type { RunSandboxed, Sandbox, SandboxEnding } from '../../src/sandbox/sandbox.ts';
import { conversionOf } from '../../src/stages/conversion-of.ts';
import { convert, type ConvertInput } from '../../src/stages/convert.ts';
import { progressReader } from '../../src/stages/qemu-progress.ts';
import type { StageRun } from '../../src/stages/stage.ts';
import { FolderStore } from '../../src/stores/folder/folder-store.ts';
import { mayMount, mountTmpfs } from '../acceptance/harness/tmpfs.ts';
import { processesOf, sandbox } from '../sandbox/sandbox-fixture.ts';

const drivers = { RAW: 'raw', QCOW2: 'qcow2', VMDK: 'vmdk', VHD: 'vpc', VHDX: 'vhdx', VDI: 'vdi' } as const;
type Name = keyof typeof drivers;
const names = Object.keys(drivers) as Name[];
const formatOf = (name: Name): DiskFormat => `DISK_FORMAT_${name}`;

/** A disk of a size that no format rounds to by itself, with data and holes. */
const disk = Buffer.alloc(8 * 2 ** 20 + 512);
randomBytes(2 ** 20).copy(disk, 3 * 2 ** 20);
randomBytes(512).copy(disk, disk.length - 512);

interface Fixture {
  readonly root: string;
  readonly run: StageRun;
  readonly ticks: (readonly [bytesDone: number, bytesTotal: number])[];
  readonly source: string;
  readonly target: string;
  /** Runs the stage; the source is `content`, as the attempt fetched it. */
  convert(content: Uint8Array, input: Partial<ConvertInput>, with_?: Sandbox): Promise<void>;
}

async function start(t: Pick<ExecutionContext, 'teardown'>, root = temporaryFolder(t), signal = new AbortController().signal): Promise<Fixture> {
  const store = await FolderStore.open(root);
  t.teardown(() => store.close());
  const ticks: (readonly [number, number])[] = [];
  const run: StageRun = { taskId: randomUUID(), attempt: 1, signal, progress: (done, total) => void ticks.push([done, total]) };
  const { path: source } = store.stagedFile(run.taskId, 1, 'fetched');
  const { path: target } = store.stagedFile(run.taskId, 1, 'converted');
  return {
    root, run, ticks, source, target,
    async convert(content, input, using = sandbox) {
      writeFileSync(source, content, { mode: 0o600 });
      await convert(run, { store, sandbox: using }, {
        from: 'fetched', sourceFormat: 'DISK_FORMAT_RAW', targetFormat: 'DISK_FORMAT_QCOW2', virtualSizeBytes: BigInt(content.length), maxBytes: 2 ** 40, ...input,
      });
    },
  };
}

function temporaryFolder(t: Pick<ExecutionContext, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-convert-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A sandbox whose program ends so, without being run. */
function ending(run: RunSandboxed): Sandbox {
  return { kind: 'full', qemuImg: { name: 'qemu-img', path: '/usr/bin/qemu-img', libraries: [] }, run };
}

const qemuImg = (...args: readonly string[]): { readonly status: number | null; readonly stdout: string } => spawnSync('qemu-img', args, { encoding: 'utf8' });

/** Whether an image holds what a raw disk holds, and is as large. */
function isEqual(raw: string, driver: string, image: string): boolean {
  const info = JSON.parse(qemuImg('info', '--output=json', '-f', driver, image).stdout) as { 'virtual-size': number };
  return info['virtual-size'] === statSync(raw).size && qemuImg('compare', '-f', 'raw', '-F', driver, raw, image).status === 0;
}

/** The image as qemu-img makes it, for sources. */
function imageOf(t: Pick<ExecutionContext, 'teardown'>, name: Name): Buffer {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'raw'), disk);
  const options = name === 'VHD' ? ['-o', 'force_size=on'] : [];
  if (qemuImg('convert', '-f', 'raw', '-O', drivers[name], ...options, join(folder, 'raw'), join(folder, 'image')).status !== 0) throw new Error(name);
  return readFileSync(join(folder, 'image'));
}

/** Whose a file is, and what its mode says. */
function rightsOf(file: string): readonly unknown[] {
  const { uid, gid, mode } = statSync(file);
  return [uid, gid, (mode & 0o7777).toString(8)];
}

const ownRights = [process.getuid!(), process.getgid!(), '600'];

/** A file that was read stays readable for the sandboxed group, where there is one. */
const rightsOnceRead = process.getuid!() === 0 ? [0, sandboxGroup, '640'] : ownRights;

if (sandbox.kind === 'full') {
  for (const name of names) {
    test(`a raw disk becomes ${name}, and ${name} a raw disk, with equal bytes, equal size and nobody else's rights`, async (t) => {
      const there = await start(t);
      await there.convert(disk, { targetFormat: formatOf(name) });
      t.true(isEqual(there.source, drivers[name], there.target));
      const back = await start(t);
      await back.convert(imageOf(t, name), { sourceFormat: formatOf(name), targetFormat: 'DISK_FORMAT_RAW', virtualSizeBytes: BigInt(disk.length) });
      t.true(readFileSync(back.target).equals(disk));
      for (const { source, target } of [there, back]) t.deepEqual([rightsOf(source), rightsOf(target)], [rightsOnceRead, ownRights]);
    });
  }

  test('formats are made in the variants that most programs read', async (t) => {
    const variants = await Promise.all((['QCOW2', 'VMDK'] as const).map(async (name) => {
      const fixture = await start(t);
      await fixture.convert(disk, { targetFormat: formatOf(name) });
      const info = JSON.parse(qemuImg('info', '--output=json', '-f', drivers[name], fixture.target).stdout) as { 'format-specific': { data: Record<string, unknown> } };
      return info['format-specific'].data;
    }));
    t.is(variants[0]!['compat'], '1.1');
    t.is(variants[1]!['create-type'], 'streamOptimized');
  });

  test('an unspecified target is qcow2, and an ISO is read as it is', async (t) => {
    const fixture = await start(t);
    await fixture.convert(disk, { sourceFormat: 'DISK_FORMAT_ISO', targetFormat: 'DISK_FORMAT_UNSPECIFIED' });
    t.true(isEqual(fixture.source, 'qcow2', fixture.target));
  });

  test('a raw disk on which a guest wrote the head of a qcow2 with a backing file stays the bytes that it is', async (t) => {
    const fixture = await start(t);
    const folder = temporaryFolder(t);
    t.is(qemuImg('create', '-q', '-f', 'qcow2', '-b', '/etc/hostname', '-F', 'raw', join(folder, 'overlay'), '1M').status, 0);
    await fixture.convert(Buffer.concat([readFileSync(join(folder, 'overlay')), Buffer.alloc(2 ** 18)]).subarray(0, 2 ** 18), { targetFormat: 'DISK_FORMAT_QCOW2' });
    t.true(isEqual(fixture.source, 'qcow2', fixture.target));
  });

  test('progress never goes back, begins at nothing and ends at all of the disk', async (t) => {
    const fixture = await start(t);
    await fixture.convert(disk, {});
    const done = fixture.ticks.map(([bytesDone]) => bytesDone);
    t.deepEqual(done, done.toSorted((a, b) => a - b));
    t.deepEqual([fixture.ticks[0], fixture.ticks.at(-1)], [[0, disk.length], [disk.length, disk.length]]);
    t.true(done.length > 4);
  });

  test('a cancel in the middle kills qemu-img and rejects with its reason', async (t) => {
    const cancel = new AbortController();
    const canceled = new Error('canceled');
    const fixture = await start(t, temporaryFolder(t), cancel.signal);
    const run = { ...fixture.run, progress: (done: number): void => { if (done > 0) cancel.abort(canceled); } };
    const store = await FolderStore.open(fixture.root);
    t.teardown(() => store.close());
    // Compressing 256 MiB of noise takes seconds.
    writeFileSync(fixture.source, randomBytes(2 ** 26), { mode: 0o600 });
    truncateSync(fixture.source, 2 ** 28);
    const input = { from: 'fetched', sourceFormat: 'DISK_FORMAT_RAW', targetFormat: 'DISK_FORMAT_VMDK', virtualSizeBytes: 2n ** 28n, maxBytes: 2 ** 40 } as const;
    t.is(await t.throwsAsync(convert(run, { store, sandbox }, input)), canceled);
    t.deepEqual(processesOf(fixture.source), []);
    t.deepEqual(rightsOf(fixture.source), rightsOnceRead);
  });

  const failures: readonly (readonly [title: string, content: () => Uint8Array, input: Partial<ConvertInput>, expected: object])[] = [
    ['a target above the limit fails with the limit', () => disk, { targetFormat: 'DISK_FORMAT_QCOW2', maxBytes: 2 ** 20 }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { max_image_bytes: String(2 ** 20) } }],
    ['a sparse raw target is measured by its length', () => disk, { targetFormat: 'DISK_FORMAT_RAW', maxBytes: disk.length - 1 }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { max_image_bytes: String(disk.length - 1) } }],
    ['a source that qemu-img refuses fails with what it said', () => disk, { sourceFormat: 'DISK_FORMAT_QCOW2' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { exit_code: '1', stderr: 'qemu-img: Could not open \'/source\': Image is not in qcow2 format' } }],
  ];
  for (const [title, content, input, expected] of failures) {
    test(title, async (t) => {
      const fixture = await start(t);
      t.like(await t.throwsAsync(fixture.convert(content(), input)), { failure: expected });
    });
  }

  test('a weak sandbox converts too, and gives the files back', async (t) => {
    const folder = temporaryFolder(t);
    for (const name of ['qemu-img', 'prlimit', 'setpriv']) symlinkSync(join('/usr/bin', name), join(folder, name));
    const weak = await probeSandbox({ sandbox: 'weak', searchPath: folder, onStart: () => undefined });
    t.is(weak.kind, 'weak');
    for (const name of ['QCOW2', 'VMDK', 'VHDX'] as const) {
      const fixture = await start(t);
      await fixture.convert(disk, { targetFormat: formatOf(name) }, weak);
      t.true(isEqual(fixture.source, drivers[name], fixture.target));
      t.deepEqual([rightsOf(fixture.source), rightsOf(fixture.target)], [rightsOnceRead, ownRights]);
    }
    const fixture = await start(t);
    t.like(await t.throwsAsync(fixture.convert(disk, { maxBytes: 2 ** 20 }, weak)), { failure: { reason: 'REASON_CONVERSION_FAILED', metadata: { max_image_bytes: String(2 ** 20) } } });
  });

  if (mayMount()) {
    test('a store that is full fails with STORE_FULL, to be tried again', async (t) => {
      const fixture = await start(t, mountTmpfs(t, disk.length + 2 ** 19));
      const error = await t.throwsAsync(fixture.convert(disk, {}));
      t.like(error, { failure: { reason: 'REASON_STORE_FULL', retryable: true, metadata: { system_error: 'ENOSPC' } } });
    });
  }

  test('a target that is there already is not overwritten', async (t) => {
    const fixture = await start(t);
    writeFileSync(fixture.target, 'another');
    t.like(await t.throwsAsync(fixture.convert(disk, {})), { failure: { reason: 'REASON_STORE_UNAVAILABLE', metadata: { system_error: 'EEXIST' } } });
    t.is(statSync(fixture.target).size, 7);
  });
}

const mapped: readonly (readonly [title: string, how: SandboxEnding, expected: object])[] = [
  ['a death by a signal', { kind: 'signaled', signal: 'SIGSEGV', errorTail: '' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { signal: 'SIGSEGV' } }],
  ['a death by SIGKILL that nobody here asked for', { kind: 'signaled', signal: 'SIGKILL', errorTail: '' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { signal: 'SIGKILL' } }],
  ['a file above the limit', { kind: 'signaled', signal: 'SIGXFSZ', errorTail: '' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { max_image_bytes: '1000' } }],
  ['a write above the limit', { kind: 'exited', code: 1, errorTail: 'qemu-img: error while writing: File too large\n' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { max_image_bytes: '1000' } }],
  ['a full quota', { kind: 'exited', code: 1, errorTail: 'qemu-img: error while writing: Disk quota exceeded\n' }, { reason: 'REASON_STORE_FULL', retryable: true, metadata: { system_error: 'EDQUOT' } }],
  ['words that are no text', { kind: 'exited', code: 1, errorTail: 'first\nqemu-img: \u001b[31mbad\u0007\n\n' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { exit_code: '1', stderr: 'qemu-img: ?[31mbad?' } }],
  ['a complaint at the end of a success', { kind: 'exited', code: 0, errorTail: 'qemu-img: warning: something is odd\n' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { exit_code: '0', stderr: 'qemu-img: warning: something is odd' } }],
  ['no words at all', { kind: 'exited', code: 2, errorTail: '' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false, metadata: { exit_code: '2', stderr: 'it said nothing' } }],
  ['output without end', { kind: 'flooded' }, { reason: 'REASON_CONVERSION_FAILED', retryable: false }],
];
for (const [title, how, expected] of mapped) {
  test(`${title} of qemu-img has its failure`, async (t) => {
    const fixture = await start(t);
    t.like(await t.throwsAsync(fixture.convert(disk, { maxBytes: 1_000 }, ending(async () => how))), { failure: expected });
  });
}

test('what cannot be started or confined is a fault of the machine, and no verdict on the image', async (t) => {
  const again = new Error('spawn EAGAIN');
  t.is(await t.throwsAsync((await start(t)).convert(disk, {}, ending(() => Promise.reject(again)))), again);
  const error = await t.throwsAsync((await start(t)).convert(disk, {}, ending(async () => ({ kind: 'broken', errorTail: 'bwrap: Can\'t mount\n' }))));
  t.deepEqual([error.name, error.message], ['Error', 'qemu-img could not be confined: bwrap: Can\'t mount']);
});

test('a server without qemu-img refuses conversions with what to install, and stages nothing', async (t) => {
  const none = await probeSandbox({ sandbox: 'required', searchPath: temporaryFolder(t), onStart: () => t.fail() });
  const fixture = await start(t);
  const error = await t.throwsAsync(fixture.convert(disk, {}, none));
  t.like(error, { failure: { reason: 'REASON_FORMAT_UNSUPPORTED', retryable: false, metadata: { found: 'DISK_FORMAT_RAW', wanted: 'DISK_FORMAT_QCOW2' } } });
  t.regex(error.message, /qemu-img is missing: install it \(Debian: qemu-utils\)\./);
  t.deepEqual(readdirSync(join(fixture.root, 'staging')).length, 1);
});

test('an ISO is never made, and a format that nobody found out is never guessed', (t) => {
  const any = ending(async () => ({ kind: 'flooded' }));
  t.like(t.throws(() => conversionOf('DISK_FORMAT_RAW', 'DISK_FORMAT_ISO', any)), { failure: { reason: 'REASON_FORMAT_UNSUPPORTED' } });
  t.throws(() => conversionOf('DISK_FORMAT_UNSPECIFIED', 'DISK_FORMAT_RAW', any), { message: /never by it/ });
});

test('qemu-img is told both formats and our own names, and its limit', async (t) => {
  const fixture = await start(t);
  await fixture.convert(disk, { targetFormat: 'DISK_FORMAT_VHD', maxBytes: 12_345 }, ending(async (job) => {
    t.deepEqual(job.args(job.files.map(({ inside }) => inside)),
      ['convert', '-p', '-W', '-S', '64k', '-f', 'raw', '-O', 'vpc', '-o', 'subformat=dynamic,force_size=on', '/source', '/disk.vpc']);
    t.deepEqual(job.files.map(({ path, access }) => [path, access]), [[fixture.source, 'read'], [fixture.target, 'write']]);
    t.is(job.fileBytes, 12_345);
    return { kind: 'exited', code: 0, errorTail: '' };
  }));
  t.deepEqual(fixture.ticks, [[0, disk.length], [disk.length, disk.length]]);
});

test('progress is read however the output is cut, and nonsense is no progress', (t) => {
  const output = '    (0.00/100%)\r    (12.50/100%)\r    (12.50/100%)\r    (9.00/100%)\rnonsense (99.00/100%)\r    (100.00/100%)\r    (900.00/100%)\n';
  for (const pieceLength of [1, 7, 1_000]) {
    const told: number[] = [];
    const read = progressReader(1_000, (bytes) => told.push(bytes));
    for (let at = 0; at < output.length; at += pieceLength) read(output.slice(at, at + pieceLength));
    t.deepEqual(told, [125, 1_000]);
  }
});
