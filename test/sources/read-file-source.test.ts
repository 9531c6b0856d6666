import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { createSources } from '../../src/sources/create-sources.ts';
import { openly } from '../../src/sources/source.ts';
import { keepingReceiver, readFailing, settings } from './read.ts';

const folder = mkdtempSync(join(tmpdir(), 'lehr-file-source-'));
const root = join(folder, 'root');
const content = Buffer.alloc(1_500_000, 'lehr');
const never = new AbortController().signal;

function nothing(_done: void): undefined {
  return undefined;
}

test.before(() => {
  mkdirSync(join(root, 'sub'), { recursive: true });
  mkdirSync(join(folder, 'outside'));
  writeFileSync(join(root, 'disk'), content);
  writeFileSync(join(root, 'empty'), '');
  writeFileSync(join(root, 'large'), Buffer.alloc(settings.maxImageBytes + 1));
  writeFileSync(join(folder, 'outside', 'secret'), 'secret');
  symlinkSync(join(root, 'disk'), join(root, 'inner-link'));
  symlinkSync(join(folder, 'outside', 'secret'), join(root, 'outer-link'));
  symlinkSync(join(folder, 'outside'), join(root, 'outer-folder'));
  symlinkSync('loop', join(root, 'loop'));
  symlinkSync('/dev/zero', join(root, 'device'));
  symlinkSync(root, join(folder, 'linked-root'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
});

test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const failing: readonly (readonly [path: string, reason: string])[] = [
  ['missing', 'REASON_SOURCE_NOT_FOUND'],
  ['disk/below-a-file', 'REASON_SOURCE_NOT_FOUND'],
  ['sub', 'REASON_SOURCE_NOT_ALLOWED'],
  ['fifo', 'REASON_SOURCE_NOT_ALLOWED'],
  ['device', 'REASON_SOURCE_NOT_ALLOWED'],
  ['outer-link', 'REASON_SOURCE_NOT_ALLOWED'],
  ['outer-folder/secret', 'REASON_SOURCE_NOT_ALLOWED'],
  ['loop', 'REASON_SOURCE_NOT_ALLOWED'],
  ['../outside/secret', 'REASON_SOURCE_NOT_ALLOWED'],
  ['large', 'REASON_SOURCE_TOO_LARGE'],
];

for (const [path, reason] of failing) {
  test(`${path} is ${reason}`, async (t) => {
    const failed = await readFailing(pathToFileURL(join(root, path)).href, { fileRoots: [root] });
    t.deepEqual({ reason: failed.reason, retryable: failed.retryable }, { reason, retryable: false });
    t.false(failed.message.includes(folder));
  });
}

for (const [path, expected] of [['disk', content], ['inner-link', content], ['empty', Buffer.alloc(0)]] as const) {
  test(`${path} is read whole`, async (t) => {
    const sources = createSources({ ...settings, fileRoots: [root] });
    const receiver = keepingReceiver();
    await sources.read(openly(pathToFileURL(join(root, path)).href), receiver, never);
    t.true(receiver.bytes().equals(expected));
    t.is(receiver.starts[0]?.sizeBytes, expected.length);
    await sources.close();
  });
}

test('a file root may itself be a link', async (t) => {
  const sources = createSources({ ...settings, fileRoots: [join(folder, 'linked-root')] });
  const receiver = keepingReceiver();
  await sources.read(openly(pathToFileURL(join(folder, 'linked-root', 'disk')).href), receiver, never);
  t.true(receiver.bytes().equals(content));
  await sources.close();
});

test('a file that grows while it is read is refused', async (t) => {
  const path = join(root, 'growing');
  writeFileSync(path, content);
  const sources = createSources({ ...settings, fileRoots: [root] });
  const receiver = { begin: () => undefined, receive: () => nothing(appendFileSync(path, 'more')) };
  const error = await t.throwsAsync(sources.read(openly(pathToFileURL(path).href), receiver, never));
  t.like(error, { failure: { reason: 'REASON_SOURCE_CHANGED', retryable: true } });
  await sources.close();
});

test('an abort ends the reading of a file with its reason', async (t) => {
  const sources = createSources({ ...settings, fileRoots: [root] });
  const abort = new AbortController();
  const canceled = new Error('canceled');
  const receiver = { begin: () => undefined, receive: () => nothing(abort.abort(canceled)) };
  t.is(await t.throwsAsync(sources.read(openly(pathToFileURL(join(root, 'disk')).href), receiver, abort.signal)), canceled);
  await sources.close();
});

// The superuser may read everything.
if (process.getuid?.() !== 0) {
  test('a file that may not be read is forbidden', async (t) => {
    const path = join(root, 'private');
    writeFileSync(path, 'x');
    chmodSync(path, 0);
    const { reason } = await readFailing(pathToFileURL(path).href, { fileRoots: [root] });
    t.is(reason, 'REASON_SOURCE_FORBIDDEN');
  });
}
