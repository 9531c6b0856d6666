import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { checkpointEveryBytes } from '../../src/bytes/bounds.ts';
import { BytesPool } from '../../src/bytes/bytes-pool.ts';
import { failure, FailureError } from '../../src/domain/failures.ts';
import { openly, RangesUnsupportedError } from '../../src/sources/source.ts';
import type { Receiver, SourceRequest, Sources, Validators } from '../../src/sources/source.ts';
import { fetch } from '../../src/stages/fetch.ts';
import type { Fetched } from '../../src/stages/fetch.ts';
import { FolderStore } from '../../src/stores/folder/folder-store.ts';
import { AttemptOverError } from '../../src/worker/attempt-over.ts';
import { until } from '../bytes/pool-fixture.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';

const mebibyte = 1024 * 1024;
const disk = Buffer.concat([buildRaw(mbr).subarray(0, 4096), randomBytes(3 * mebibyte - 4096)]);
const other = Buffer.concat([buildRaw(mbr).subarray(0, 4096), randomBytes(2 * mebibyte)]);
const uri = 'http://source.example/disk?token=secret';
const broken = new FailureError(failure('SOURCE_TRUNCATED', 'broke off'));

/** Starting a thread takes longer than any of these tests. */
const pool = new BytesPool(1);
test.after.always(() => pool.close());

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** How a source answers one reading. */
interface Reading {
  readonly content?: Buffer;
  /** Absent: the source cannot be gone on with. */
  readonly validators?: Validators;
  /** Up to where it sends; absent: to its end. */
  readonly until?: number;
  /** What it ends with then. */
  readonly breaks?: Error;
  /** It falls silent then. */
  readonly hangs?: true;
}

const tagged: Validators = { etag: '"v1"', lastModified: 'Thu, 01 Jan 2026 10:00:00 GMT' };

/** A task whose attempts fetch in turn; what each asked the source for. */
class Task {
  readonly id = randomUUID();
  readonly asked: (SourceRequest['resume'])[] = [];
  readonly root: string;
  readonly store: FolderStore;

  private constructor(root: string, store: FolderStore) {
    this.root = root;
    this.store = store;
  }

  static async start(t: ExecutionContext): Promise<Task> {
    const root = mkdtempSync(join(tmpdir(), 'lehr-resume-'));
    const task = new Task(root, await FolderStore.open(root));
    t.teardown(async () => {
      await task.store.close();
      rmSync(root, { recursive: true });
    });
    return task;
  }

  staged(): string[] {
    return readdirSync(join(this.root, 'staging')).map((file) => file.replace(this.id, 'task')).toSorted();
  }

  async fetch(
    attempt: number, reading: Reading, { signal = new AbortController().signal, from = uri, check = (): void => undefined } = {},
  ): Promise<Fetched> {
    const { id: taskId, store, asked } = this;
    const sources: Sources = {
      async read({ resume }, receiver, readSignal) {
        asked.push(resume);
        await send(reading, resume, receiver, readSignal);
      },
      openRanges: () => Promise.reject(new RangesUnsupportedError('it')),
      close: async () => undefined,
    };
    const run = { taskId, attempt, signal, progress: () => undefined };
    return fetch(run, { pool, store, sources }, { source: openly(from), sourceFormat: 'DISK_FORMAT_UNSPECIFIED', expectedDigest: '', check });
  }
}

async function send(
  { content = disk, validators, until: end = content.length, breaks, hangs }: Reading,
  resume: SourceRequest['resume'], receiver: Receiver, signal: AbortSignal,
): Promise<void> {
  const goesOn = resume !== undefined && resume.validators.etag === validators?.etag && resume.sizeBytes === content.length;
  const offsetBytes = goesOn ? resume.offsetBytes : 0;
  receiver.begin({ offsetBytes, sizeBytes: content.length, facts: { host: 'source.example' }, ...(validators === undefined ? {} : { validators }) });
  for (let at = offsetBytes; at < end; at += 100_000) {
    await receiver.receive(content.subarray(at, Math.min(end, at + 100_000)));
    signal.throwIfAborted();
  }
  if (hangs === true) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  if (breaks !== undefined) throw breaks;
}

const whole: Fetched = { sizeBytes: disk.length, digest: digestOf(disk), facts: { host: 'source.example' } };

test.serial('an attempt goes on where an earlier one stopped, and proves what that had', async (t) => {
  const task = await Task.start(t);
  t.is(await t.throwsAsync(task.fetch(1, { validators: tagged, until: mebibyte, breaks: broken })), broken);
  t.deepEqual(task.staged(), ['task.1', 'task.1.synced']);
  t.notRegex(readFileSync(join(task.root, 'staging', `${task.id}.1.synced`), 'utf8'), /secret|source\.example\/disk/);
  t.is(await t.throwsAsync(task.fetch(2, { validators: tagged, until: 2 * mebibyte, breaks: broken })), broken);
  t.deepEqual(task.staged(), ['task.2', 'task.2.synced']);
  t.deepEqual(await task.fetch(3, { validators: tagged }), { ...whole, facts: { ...whole.facts, resumed_from: String(2 * mebibyte) } });
  const resumed = [mebibyte, 2 * mebibyte].map((offsetBytes) => ({ offsetBytes, sizeBytes: disk.length, validators: tagged }));
  t.deepEqual(task.asked, [undefined, ...resumed]);
  t.true(readFileSync(task.store.stagedFile(task.id, 3, 'fetched').path).equals(disk));
  await task.store.publish(task.id, 3, 'fetched');
  t.deepEqual(task.staged(), []);
});

/** Where the next attempt has to begin anew, though an earlier one has left a MiB. */
const doubts: readonly {
  readonly what: string;
  readonly damage?: (task: Task, path: string, note: string) => void;
  readonly next?: Reading;
  readonly from?: string;
  readonly asked: boolean;
}[] = [
  {
    what: 'a byte of the file has changed',
    damage: (_task, path) => {
      const fd = openSync(path, 'r+');
      writeSync(fd, Buffer.from([disk[500_000]! ^ 1]), 0, 1, 500_000);
      closeSync(fd);
    },
    asked: false,
  },
  { what: 'the file is shorter', damage: (_task, path) => truncateSync(path, mebibyte - 1), asked: false },
  { what: 'the file is gone', damage: (_task, path) => rmSync(path), asked: false },
  { what: 'the note is gone', damage: (_task, _path, note) => rmSync(note), asked: false },
  { what: 'the note is empty', damage: (_task, _path, note) => writeFileSync(note, ''), asked: false },
  { what: 'the note is torn', damage: (_task, _path, note) => truncateSync(note, 40), asked: false },
  { what: 'the note is of something else', damage: (_task, _path, note) => writeFileSync(note, '{"lengthBytes":-1}'), asked: false },
  { what: 'the source is another', from: 'http://source.example/other', asked: false },
  { what: 'the content is another by its tag', next: { validators: { etag: '"v2"' } }, asked: true },
  { what: 'the content has another size', next: { validators: tagged, content: other }, asked: true },
  { what: 'the source has no validators any more', next: {}, asked: true },
];

for (const { what, damage, next = { validators: tagged }, from = uri, asked } of doubts) {
  test.serial(`an attempt begins anew, without failing, where ${what}`, async (t) => {
    const task = await Task.start(t);
    await t.throwsAsync(task.fetch(1, { validators: tagged, until: mebibyte, breaks: broken }));
    const { path } = task.store.stagedFile(task.id, 1, 'fetched');
    damage?.(task, path, `${path}.synced`);
    const content = next.content ?? disk;
    t.deepEqual(await task.fetch(2, next, { from }), { ...whole, sizeBytes: content.length, digest: digestOf(content) });
    t.is(task.asked[1] !== undefined, asked);
    t.true(readFileSync(task.store.stagedFile(task.id, 2, 'fetched').path).equals(content));
    t.deepEqual(task.staged().filter((file) => file.startsWith('task.1')), []);
  });
}

test.serial('what follows the checkpoint is not read: an attempt that was declared dead may still write it', async (t) => {
  const task = await Task.start(t);
  await t.throwsAsync(task.fetch(1, { validators: tagged, until: mebibyte, breaks: broken }));
  writeFileSync(task.store.stagedFile(task.id, 1, 'fetched').path, 'what nobody has checked', { flag: 'a' });
  t.like(await task.fetch(2, { validators: tagged }), { digest: whole.digest, facts: { resumed_from: String(mebibyte) } });
});

test.serial('of several attempts the one that came farthest is gone on with', async (t) => {
  const task = await Task.start(t);
  await t.throwsAsync(task.fetch(1, { validators: tagged, until: 2 * mebibyte, breaks: broken }));
  const files = ['', '.synced'].map((end) => `${task.store.stagedFile(task.id, 1, 'fetched').path}${end}`);
  for (const file of files) copyFileSync(file, `${file}.kept`);
  await t.throwsAsync(task.fetch(2, { validators: { etag: '"v2"' }, until: mebibyte, breaks: broken }));
  for (const file of files) copyFileSync(`${file}.kept`, file);
  t.like(await task.fetch(3, { validators: tagged }), { digest: whole.digest, facts: { resumed_from: String(2 * mebibyte) } });
});

test.serial('a longer note whose file is gone, is shorter or has changed does not cost what an attempt before it has', async (t) => {
  const damages: readonly ((path: string) => void)[] = [
    (path) => rmSync(path),
    (path) => truncateSync(path, 2 * mebibyte - 1),
    (path) => writeFileSync(path, Buffer.alloc(2 * mebibyte)),
  ];
  for (const damage of damages) {
    const task = await Task.start(t);
    await t.throwsAsync(task.fetch(1, { validators: tagged, until: mebibyte, breaks: broken }));
    const files = ['', '.synced'].map((end) => `${task.store.stagedFile(task.id, 1, 'fetched').path}${end}`);
    for (const file of files) copyFileSync(file, `${file}.kept`);
    await t.throwsAsync(task.fetch(2, { validators: tagged, until: 2 * mebibyte, breaks: broken }));
    for (const file of files) copyFileSync(`${file}.kept`, file);
    damage(task.store.stagedFile(task.id, 2, 'fetched').path);
    t.like(await task.fetch(3, { validators: tagged }), { digest: whole.digest, facts: { resumed_from: String(mebibyte) } });
    t.true(readFileSync(task.store.stagedFile(task.id, 3, 'fetched').path).equals(disk));
    t.deepEqual(task.staged().filter((file) => /^task\.[12](?!.*kept)/.test(file)), []);
  }
});

test.serial('an image that was fetched whole is not fetched again when the attempt fails later', async (t) => {
  const task = await Task.start(t);
  const large = Buffer.concat([disk, randomBytes(64 * mebibyte)]);
  const fetched = await task.fetch(1, { validators: tagged, content: large });
  t.deepEqual(task.staged(), ['task.1', 'task.1.synced']);
  t.deepEqual(await task.fetch(2, { breaks: new Error('It is not asked.') }), {
    ...fetched, facts: { host: 'source.example', resumed_from: String(large.length) },
  });
  t.is(task.asked.length, 1);
});

test.serial('a content that came whole and is not the one that was to come is fetched anew', async (t) => {
  for (const content of [disk, Buffer.concat([disk, randomBytes(64 * mebibyte)])]) {
    const task = await Task.start(t);
    const changed = new FailureError(failure('SOURCE_CHANGED', 'It is larger.'));
    t.is(await t.throwsAsync(task.fetch(1, { validators: tagged, content }, { check: () => { throw changed; } })), changed);
    t.deepEqual(task.staged(), []);
    t.deepEqual(await task.fetch(2, { validators: tagged }), whole);
    t.deepEqual(task.asked, [undefined, undefined]);
  }
});

test.serial('a crash costs what came after the last checkpoint', async (t) => {
  const task = await Task.start(t);
  const large = Buffer.concat([disk, randomBytes(126 * mebibyte)]);
  const note = join(task.root, 'staging', `${task.id}.1.synced`);
  const stop = new AbortController();
  const stopped = new AttemptOverError('superseded');
  // Nothing is told to the attempt: it is as good as killed, or it is a zombie.
  const silent = task.fetch(1, { validators: tagged, content: large, until: 100 * mebibyte, hangs: true }, { signal: stop.signal });
  await until(() => existsSync(note));
  const { digest, facts } = await task.fetch(2, { validators: tagged, content: large });
  t.is(digest, digestOf(large));
  const resumedFrom = Number(facts['resumed_from']);
  t.true(resumedFrom >= checkpointEveryBytes && resumedFrom <= 100 * mebibyte, `it went on from ${resumedFrom}`);
  stop.abort(stopped);
  t.is(await t.throwsAsync(silent), stopped);
  t.true(readFileSync(task.store.stagedFile(task.id, 2, 'fetched').path).equals(large));
});

for (const [what, reason, kept] of [
  ['is canceled', new AttemptOverError('canceled'), false],
  ['was replaced', new AttemptOverError('superseded'), false],
  ['is stopped by a shutdown', new AttemptOverError('shutdown'), true],
  ['cannot store its events', new AttemptOverError('log'), true],
  ['runs out of time', new FailureError(failure('DEADLINE_EXCEEDED', 'too long')), true],
  ['stops for a bug', new Error('a bug'), false],
  ['finds that the content has changed', new FailureError(failure('SOURCE_CHANGED', 'another')), false],
  ['fails for good', new FailureError(failure('SOURCE_NOT_FOUND', 'gone')), false],
] as const) {
  test.serial(`an attempt that ${what} leaves ${kept ? 'what it has for the next one' : 'nothing'}`, async (t) => {
    const task = await Task.start(t);
    const stop = new AbortController();
    const fetching = task.fetch(1, { validators: tagged, until: mebibyte, breaks: reason }, { signal: stop.signal });
    t.is(await t.throwsAsync(fetching), reason);
    await until(() => pool.stats().load === 0);
    t.deepEqual(task.staged(), kept ? ['task.1', 'task.1.synced'] : []);
  });
}

test.serial('a source that cannot be gone on with leaves nothing, nor does one whose head has not come', async (t) => {
  for (const reading of [{ until: mebibyte }, { validators: tagged, until: 100_000 }]) {
    const task = await Task.start(t);
    await t.throwsAsync(task.fetch(1, { ...reading, breaks: broken }));
    await until(() => pool.stats().load === 0);
    t.deepEqual(task.staged(), []);
    t.deepEqual(await task.fetch(2, {}), whole);
    t.deepEqual(task.asked, [undefined, undefined]);
  }
});

test.serial('an unfit content that takes the place of a good one is refused', async (t) => {
  const task = await Task.start(t);
  await t.throwsAsync(task.fetch(1, { validators: tagged, until: mebibyte, breaks: broken }));
  const page = Buffer.alloc(mebibyte, '<!DOCTYPE html><html>');
  t.like(await t.throwsAsync(task.fetch(2, { validators: { etag: '"v2"' }, content: page })), { failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
  await until(() => pool.stats().load === 0);
  t.deepEqual(task.staged(), []);
});
