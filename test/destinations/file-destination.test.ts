import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import test from 'ava';

import { temporaryName } from '../../src/destinations/file/temporary-name.ts';
import type { Failure } from '../../src/gen/lehr/v1/failure.ts';
import { mayMount, mountTmpfs } from '../acceptance/harness/tmpfs.ts';
import { content, digestOf, openBench, pool, taskId } from './delivering.ts';

test.after.always(() => pool.close());

const uriOf = (...parts: string[]): string => pathToFileURL(path.join(...parts)).href;
const ours = { digest: digestOf(content), sizeBytes: content.length };

test('a file is made whole, sparse where zeros are, and what it was written under is gone', async (t) => {
  const { deliver, folder } = openBench(t);
  const file = path.join(folder, 'a disk.raw');
  t.deepEqual(await deliver(uriOf(file)), { location: uriOf(file), ...ours, verified: true });
  t.true(readFileSync(file).equals(content));
  t.true(statSync(file).blocks * 512 < content.length - 400_000);
  t.deepEqual(readdirSync(folder).toSorted(), ['.artefact', 'a disk.raw']);
});

test('a file that ends in zeros has its size', async (t) => {
  const { deliver, folder, artefact, stored } = openBench(t);
  const bytes = Buffer.concat([Buffer.from('x'), Buffer.alloc(3_000_000)]);
  writeFileSync(stored, bytes);
  const file = path.join(folder, 'zeros');
  t.like(await deliver(uriOf(file), {}, { ...artefact, sizeBytes: bytes.length, digest: digestOf(bytes) }), { verified: true });
  t.true(readFileSync(file).equals(bytes));
});

const there: readonly (readonly [what: string, make: (file: string) => void])[] = [
  ['a file with other bytes', (file) => { writeFileSync(file, 'x'); }],
  ['a file of the same size', (file) => { writeFileSync(file, Buffer.alloc(content.length, 'y')); }],
  ['a folder', (file) => { mkdirSync(file); }],
  ['a link to nowhere', (file) => { symlinkSync('/nowhere', file); }],
  ['a link to the artefact itself', (file) => { symlinkSync(path.join(path.dirname(file), '.artefact'), file); }],
  ['a FIFO', (file) => { execFileSync('mkfifo', [file]); }],
];
for (const [what, make] of there) {
  test(`${what} is never overwritten`, async (t) => {
    const { deliver, folder } = openBench(t);
    const file = path.join(folder, 'there');
    make(file);
    const before = execFileSync('ls', ['-lni', '--time-style=full-iso', folder], { encoding: 'utf8' });
    t.like(await deliver(uriOf(file)), { reason: 'REASON_DESTINATION_EXISTS', retryable: false });
    t.is(execFileSync('ls', ['-lni', '--time-style=full-iso', folder], { encoding: 'utf8' }), before);
  });
}

test('a file that this task has recorded is its success, though it is another than what would be delivered now', async (t) => {
  const { deliver, folder } = openBench(t);
  const file = path.join(folder, 'recorded');
  const earlier = Buffer.from('an earlier conversion');
  writeFileSync(file, earlier);
  const recorded = { digest: digestOf(earlier), sizeBytes: earlier.length };
  const delivered = await deliver(uriOf(file), { attempt: 2, ours: [ours, recorded] });
  t.deepEqual(delivered, { location: uriOf(file), ...recorded, verified: true, existed: true });
  t.true(readFileSync(file).equals(earlier));
});

test('a file that appears while the copy is written is not overwritten, and is judged as one that was there', async (t) => {
  for (const [bytes, outcome] of [[Buffer.from('foreign'), { reason: 'REASON_DESTINATION_EXISTS' }], [content, { existed: true, verified: true }]] as const) {
    const { deliver, folder } = openBench(t, {}, (at) => writeFileSync(path.join(at, 'raced'), bytes));
    const file = path.join(folder, 'raced');
    t.like(await deliver(uriOf(file)), outcome);
    t.true(readFileSync(file).equals(bytes));
    t.deepEqual(readdirSync(folder).toSorted(), ['.artefact', 'raced']);
  }
});

test('what attempts left that died is removed when their task has ended, and nothing of another task', async (t) => {
  const { destinations, folder } = openBench(t);
  const other = temporaryName('a', '018f0000-0000-7000-8000-000000000002', 1);
  for (const name of [temporaryName('a', taskId, 1), temporaryName('a', taskId, 2), other, 'a']) writeFileSync(path.join(folder, name), 'x');
  const request = { uri: uriOf(folder, 'a'), credential: '', owner: 'default' };
  await destinations.removeLeftovers(request, { taskId, attempts: 2, artefacts: [] }, new AbortController().signal);
  t.deepEqual(readdirSync(folder).toSorted(), ['.artefact', other, 'a'].toSorted());
});

test('what earlier attempts of the task left is removed, and nothing of another task', async (t) => {
  const { deliver, folder } = openBench(t);
  const other = '018f0000-0000-7000-8000-000000000002';
  const left = [temporaryName('x', taskId, 1), temporaryName('x', taskId, 2), temporaryName('x', taskId, 4), temporaryName('x', other, 1)];
  for (const name of left) writeFileSync(path.join(folder, name), 'half');
  t.like(await deliver(uriOf(folder, 'x'), { attempt: 3 }), { verified: true });
  t.deepEqual(readdirSync(folder).toSorted(), ['.artefact', temporaryName('x', taskId, 4), temporaryName('x', other, 1), 'x'].toSorted());
});

test('damaged bytes are delivered to no file', async (t) => {
  const { deliver, folder, stored } = openBench(t);
  const damaged = Buffer.from(content);
  damaged[1_000_000] = 1;
  writeFileSync(stored, damaged);
  t.like(await deliver(uriOf(folder, 'x')), { reason: 'REASON_IMAGE_CORRUPT', metadata: { expected: ours.digest, actual: digestOf(damaged) } });
  t.deepEqual(readdirSync(folder), ['.artefact']);
});

test('an abort leaves nothing', async (t) => {
  const { deliver, folder } = openBench(t);
  const stop = new AbortController();
  const reason = new Error('stopped by the test');
  setImmediate(() => stop.abort(reason));
  t.is(await t.throwsAsync(deliver(uriOf(folder, 'x'), { signal: stop.signal })), reason);
  t.deepEqual(readdirSync(folder), ['.artefact']);
});

test('a folder that does not exist, that leads out of the roots, or is none is refused', async (t) => {
  const { deliver, folder } = openBench(t);
  mkdirSync(path.join(folder, 'real'));
  symlinkSync('/', path.join(folder, 'out'));
  symlinkSync(path.join(folder, 'real'), path.join(folder, 'in'));
  t.like(await deliver(uriOf(folder, 'missing', 'x')), { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: false, metadata: { system_error: 'ENOENT' } });
  t.like(await deliver(uriOf(folder, '.artefact', 'x')), { reason: 'REASON_DESTINATION_UNREACHABLE', metadata: { system_error: 'ENOTDIR' } });
  t.like(await deliver(uriOf(folder, 'out', 'tmp', 'x')), { reason: 'REASON_DESTINATION_NOT_ALLOWED' });
  t.like(await deliver('file:///tmp/elsewhere'), { reason: 'REASON_DESTINATION_NOT_ALLOWED' });
  t.like(await deliver(uriOf(folder, 'in', 'x')), { verified: true });
  t.deepEqual(readdirSync(path.join(folder, 'real')), ['x']);
});

if (process.getuid?.() !== 0) {
  test('a folder that may not be written is named as such', async (t) => {
    const { deliver, folder } = openBench(t);
    mkdirSync(path.join(folder, 'closed'));
    chmodSync(path.join(folder, 'closed'), 0o500);
    t.like(await deliver(uriOf(folder, 'closed', 'x')), { reason: 'REASON_DESTINATION_FORBIDDEN' });
  });
}

if (mayMount()) {
  test('on a disk that takes no writing nothing is said to be left', async (t) => {
    const disk = mountTmpfs(t, 65_536);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const { deliver } = openBench(t, { fileRoots: [disk] });
    const { reason, metadata } = await deliver(uriOf(disk, 'x')) as Failure;
    t.deepEqual({ reason, metadata }, { reason: 'REASON_DESTINATION_FORBIDDEN', metadata: { system_error: 'EROFS', bytes: '0' } });
  });
}

test('a name may be as long as names may be', async (t) => {
  const { deliver, folder } = openBench(t);
  for (const name of ['n'.repeat(255), 'ü'.repeat(127)]) {
    t.like(await deliver(uriOf(folder, name)), { verified: true });
    t.true(Buffer.byteLength(temporaryName(name, taskId, 2_147_483_647)) <= 255);
  }
  t.like(await deliver(uriOf(folder, 'n'.repeat(256))), { reason: 'REASON_DESTINATION_NOT_ALLOWED' });
});

test('what was delivered is withdrawn where it is still the same, and what took its place stays', async (t) => {
  const { deliver, destinations, folder } = openBench(t);
  const request = { uri: uriOf(folder, 'x'), credential: '', owner: 'default' };
  const { signal } = new AbortController();
  const delivered = await deliver(request.uri);
  if (!('location' in delivered)) return t.fail(delivered.message);
  t.true(await destinations.withdraw(request, delivered, signal));
  t.deepEqual(readdirSync(folder), ['.artefact']);
  t.true(await destinations.withdraw(request, delivered, signal));
  writeFileSync(path.join(folder, 'x'), 'another');
  t.true(await destinations.withdraw(request, delivered, signal));
  t.is(readFileSync(path.join(folder, 'x'), 'utf8'), 'another');
});
