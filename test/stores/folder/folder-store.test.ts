import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { FolderStore } from '../../../src/stores/folder/folder-store.ts';

const a = '0b9c1b8e-7c1f-4d0e-9a51-000000000001';
const b = '0b9c1b8e-7c1f-4d0e-9a51-000000000002';

async function openStore(t: ExecutionContext): Promise<{ readonly root: string; readonly store: FolderStore }> {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-store-'));
  const root = join(folder, 'store');
  const store = await FolderStore.open(root);
  t.teardown(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return { root, store };
}

test('what is staged is put in its place, under the task and attempt, and leaves the staging', async (t) => {
  const { root, store } = await openStore(t);
  const staged = store.stagedFile(a, 3, 'fetched');
  t.is(staged.path, join(root, staged.name));
  writeFileSync(staged.path, 'bytes');
  t.deepEqual(await store.listStaging(), [a]);
  t.is(await store.publish(a, 3, 'fetched'), `${a}.3`);
  t.deepEqual(await store.listFiles(), [`${a}.3`]);
  t.deepEqual(await store.listStaging(), []);
  t.is(readFileSync(join(root, 'images', `${a}.3`), 'utf8'), 'bytes');
  t.deepEqual(readdirSync(join(root, 'staging')), []);
});

test('a stored file is never overwritten', async (t) => {
  const { root, store } = await openStore(t);
  writeFileSync(join(root, 'images', `${a}.1`), 'first');
  writeFileSync(store.stagedFile(a, 1, 'fetched').path, 'second');
  const error = await t.throwsAsync(store.publish(a, 1, 'fetched'));
  t.like(error, { failure: { reason: 'REASON_STORE_UNAVAILABLE', metadata: { path: `images/${a}.1`, system_error: 'EEXIST' } } });
  t.is(readFileSync(join(root, 'images', `${a}.1`), 'utf8'), 'first');
});

test('a stored file that is borrowed shares its bytes, outlives its removal, and is published as another', async (t) => {
  const { root, store } = await openStore(t);
  writeFileSync(join(root, 'images', `${a}.1`), 'bytes');
  t.true(await store.borrow(`${a}.1`, b, 2));
  t.true(await store.borrow(`${a}.1`, b, 2));
  t.deepEqual(await store.listStaging(), [b]);
  t.is(statSync(store.stagedFile(b, 2, 'borrowed').path).ino, statSync(join(root, 'images', `${a}.1`)).ino);
  await store.remove(`${a}.1`);
  t.false(await store.borrow(`${a}.1`, b, 3));
  t.is(await store.publish(b, 2, 'borrowed'), `${b}.2`);
  t.is(readFileSync(join(root, 'images', `${b}.2`), 'utf8'), 'bytes');
  t.deepEqual(readdirSync(join(root, 'staging')), []);
});

test('what was never staged cannot be put in place', async (t) => {
  const { store } = await openStore(t);
  t.like(await t.throwsAsync(store.publish(a, 1, 'fetched')), { failure: { metadata: { system_error: 'ENOENT' } } });
});

test('many are put in place at once', async (t) => {
  const { store } = await openStore(t);
  const attempts = Array.from({ length: 50 }, (_, index) => index + 1);
  for (const attempt of attempts) writeFileSync(store.stagedFile(a, attempt, 'fetched').path, '');
  const files = await Promise.all(attempts.map((attempt) => store.publish(a, attempt, 'fetched')));
  t.deepEqual([...(await store.listFiles())].sort(), files.sort());
});

test('the staging of a task is discarded, of all its attempts and of no other task', async (t) => {
  const { store } = await openStore(t);
  for (const [task, attempt] of [[a, 1], [a, 12], [b, 1]] as const) writeFileSync(store.stagedFile(task, attempt, 'fetched').path, '');
  t.deepEqual([...(await store.listStaging())].sort(), [a, b]);
  await store.discardStaging(a);
  await store.discardStaging(a);
  t.deepEqual(await store.listStaging(), [b]);
});

test('a stored file is removed, and removing it again is no error', async (t) => {
  const { store } = await openStore(t);
  writeFileSync(store.stagedFile(a, 1, 'fetched').path, '');
  const file = await store.publish(a, 1, 'fetched');
  await store.remove(file);
  await store.remove(file);
  t.deepEqual(await store.listFiles(), []);
  t.is(await store.openForRead(file), undefined);
});

test('any range of a stored file can be read', async (t) => {
  const { store } = await openStore(t);
  writeFileSync(store.stagedFile(a, 1, 'fetched').path, '0123456789');
  const file = await store.publish(a, 1, 'fetched');
  for (const [offset, length, expected] of [[0, 10, '0123456789'], [3, 4, '3456'], [9, 1, '9'], [10, 0, ''], [0, 0, '']] as const) {
    const image = await store.openForRead(file);
    t.is(image?.sizeBytes, 10);
    const target = Buffer.alloc(length);
    t.is(await image?.read(target, offset), length);
    t.is(target.toString(), expected);
    t.is(await image?.read(Buffer.alloc(1), 10), 0);
    await image?.close();
  }
});

test('what an attempt staged beside what it fetched is published, removed and discarded like that', async (t) => {
  const { root, store } = await openStore(t);
  for (const part of ['fetched', 'decoded', 'converted'] as const) writeFileSync(store.stagedFile(a, 2, part).path, part);
  await store.discardPart(a, 2, 'fetched');
  await store.discardPart(a, 2, 'fetched');
  t.deepEqual(readdirSync(join(root, 'staging')).sort(), [`${a}.2.converted`, `${a}.2.decoded`]);
  t.is(await store.publish(a, 2, 'converted'), `${a}.2`);
  t.is(readFileSync(join(root, 'images', `${a}.2`), 'utf8'), 'converted');
  t.deepEqual(await store.listStaging(), [a]);
  await store.discardStaging(a);
  t.deepEqual(readdirSync(join(root, 'staging')), []);
});

test('a note beside what was fetched is replaced whole, read by later attempts, and goes with the file', async (t) => {
  const { root, store } = await openStore(t);
  t.deepEqual(await store.readNotes(a, 9), []);
  for (const text of ['first', 'second']) await store.writeNote(a, 2, text);
  await store.writeNote(a, 3, 'third');
  await store.writeNote(b, 1, 'of another task');
  t.deepEqual(await store.readNotes(a, 2), []);
  t.deepEqual(await store.readNotes(a, 3), [{ attempt: 2, text: 'second' }]);
  t.deepEqual((await store.readNotes(a, 12)).toSorted((one, other) => one.attempt - other.attempt), [
    { attempt: 2, text: 'second' }, { attempt: 3, text: 'third' },
  ]);
  writeFileSync(store.stagedFile(a, 2, 'fetched').path, 'bytes');
  writeFileSync(store.stagedFile(a, 3, 'fetched').path, 'bytes');
  await store.discardPart(a, 2, 'fetched');
  await store.publish(a, 3, 'fetched');
  t.deepEqual(readdirSync(join(root, 'staging')), [`${b}.1.synced`]);
  t.deepEqual(await store.listStaging(), [b]);
});

test('what earlier attempts have staged is removed, but for what is kept, and nothing of later ones or of other tasks', async (t) => {
  const { root, store } = await openStore(t);
  for (const [task, attempt, part] of [
    [a, 1, 'fetched'], [a, 1, 'decoded'], [a, 2, 'fetched'], [a, 9, 'fetched'], [a, 10, 'fetched'], [b, 1, 'fetched'],
  ] as const) writeFileSync(store.stagedFile(task, attempt, part).path, '');
  await store.writeNote(a, 1, '');
  await store.writeNote(a, 2, '');
  await store.discardEarlier(a, 9, [2]);
  t.deepEqual(readdirSync(join(root, 'staging')).toSorted(), [`${a}.10`, `${a}.2`, `${a}.2.synced`, `${a}.9`, `${b}.1`]);
  await store.discardEarlier(a, 9);
  t.deepEqual(readdirSync(join(root, 'staging')).toSorted(), [`${a}.10`, `${a}.9`, `${b}.1`]);
});

test('a staged file can be read while it still grows', async (t) => {
  const { store } = await openStore(t);
  t.is(await store.openPart(a, 1, 'fetched'), undefined);
  const { path } = store.stagedFile(a, 1, 'fetched');
  writeFileSync(path, '01234');
  const opened = await store.openPart(a, 1, 'fetched');
  writeFileSync(path, '56789', { flag: 'a' });
  const target = Buffer.alloc(10);
  t.is(await opened?.read(target, 0), 10);
  t.is(target.toString(), '0123456789');
  await opened?.close();
});

test('other files in the folders are nobody\'s', async (t) => {
  const { root, store } = await openStore(t);
  for (const name of ['lost+found', '.hidden', `${a}.0`, a, `${a}.1.part`]) {
    writeFileSync(join(root, 'images', name), '');
    writeFileSync(join(root, 'staging', name), '');
  }
  t.deepEqual(await store.listFiles(), []);
  t.deepEqual(await store.listStaging(), []);
});

test('the folders are the server\'s alone, and opening the store again keeps what is there', async (t) => {
  const { root, store } = await openStore(t);
  t.is(statSync(join(root, 'images')).mode & 0o777, 0o700);
  writeFileSync(store.stagedFile(a, 1, 'fetched').path, '');
  await store.publish(a, 1, 'fetched');
  const again = await FolderStore.open(root);
  t.deepEqual(await again.listFiles(), [`${a}.1`]);
  await again.close();
});

for (const name of ['', '..', '../x', 'a', a.toUpperCase(), `${a}/..`, `${a}\0`, ` ${a}`, `${a}\n`]) {
  test(`no path is made of ${JSON.stringify(name)}`, async (t) => {
    const { root, store } = await openStore(t);
    t.throws(() => store.stagedFile(name, 1, 'fetched'), { instanceOf: RangeError });
    await t.throwsAsync(store.publish(name, 1, 'fetched'), { instanceOf: RangeError });
    await t.throwsAsync(store.discardStaging(name), { instanceOf: RangeError });
    await t.throwsAsync(store.remove(`${name}.1`), { instanceOf: RangeError });
    await t.throwsAsync(store.openForRead(`${name}.1`), { instanceOf: RangeError });
    t.true(existsSync(join(root, 'staging')));
  });
}

test('an attempt is a whole number from 1 on', async (t) => {
  const { store } = await openStore(t);
  for (const attempt of [0, -1, 1.5, Number.NaN, Infinity, 1e21]) t.throws(() => store.stagedFile(a, attempt, 'fetched'), { instanceOf: RangeError });
});
