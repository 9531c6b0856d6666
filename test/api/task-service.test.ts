import test from 'ava';

import type { CreateTaskRequest } from '../../src/gen/lehr/v1/task_service.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { naiveGuestDigest } from '../formats/build/naive-guest-digest.ts';
import { eventsOf, story } from '../acceptance/harness/events.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import { makeFolder } from '../acceptance/harness/lehr-server.ts';
import type { Part } from '../acceptance/harness/part.ts';
import { refusalOf } from '../acceptance/harness/refused.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, awaitTasks, createImport, importFrom } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { serveHere } from './serve-here.ts';
import type { ServerHere } from './serve-here.ts';

const image = rawDisk(64 * 1024, 1);
const shared = new Teardowns();
let source: SourceServer;
/** Runs tasks. */
let server: ServerHere;
/** Accepts tasks only. */
let idle: ServerHere;

test.before(async () => {
  source = await startSource(shared);
  [server, idle] = await Promise.all([serveHere(shared, await makeFolder(shared)), serveHere(shared, await makeFolder(shared), { workers: '0' })]);
});

test.after.always(() => shared.run());

const nowhere = 'https://example.com/disk.qcow2';

test('a task is accepted with all that was asked for, and a read with its token sees it', async (t) => {
  const request = {
    ...importFrom(nowhere, {
      expectedDigest: image.digest, sourceFormat: 'DISK_FORMAT_RAW', image: { name: 'web', tags: ['x'], properties: { os: 'linux' } },
    }),
    labels: { env: 'prod' }, ttl: { seconds: 60n, nanos: 5 },
  } as const satisfies Part<CreateTaskRequest>;
  const before = new Date();
  const { task, readToken } = await idle.api.createTask(request);
  t.regex(task!.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.true(task!.createTime! >= before && task!.createTime! <= new Date());
  t.deepEqual(task, {
    id: task!.id, state: 'STATE_PENDING', owner: 'default', labels: { env: 'prod' }, attempt: 0, revision: 1n, cancelRequested: false,
    spec: {
      kind: {
        $case: 'importImage',
        value: {
          sourceUri: nowhere, sourceFormat: 'DISK_FORMAT_RAW', expectedDigest: image.digest, storeFormat: 'DISK_FORMAT_UNSPECIFIED',
          credential: '',
          image: { name: 'web', tags: ['x'], properties: { os: 'linux' } },
        },
      },
    },
    createTime: task!.createTime, updateTime: task!.createTime, startTime: undefined, endTime: undefined, expireTime: undefined,
    retryTime: undefined, result: undefined, failure: undefined, progress: undefined,
  });
  t.deepEqual((await idle.api.getTask({ id: task!.id, readToken })).task, task);
});

test('a finished import shows its result, and GetTask the same as the list', async (t) => {
  const { id } = await createImport(server.api, source.serve('/result', gives(image.bytes)), { labels: { of: 'result' } });
  const watched = await awaitTask(server.api, id);
  t.deepEqual(watched.result, {
    imageId: id, location: '', digest: image.digest, sizeBytes: BigInt(image.bytes.length), format: 'DISK_FORMAT_RAW', guestDigest: naiveGuestDigest(image.bytes), verified: false,
  });
  t.true(watched.createTime! <= watched.startTime! && watched.startTime! <= watched.endTime! && watched.endTime! < watched.expireTime!);
  t.deepEqual((await server.api.getTask({ id })).task, watched);
  t.deepEqual((await server.api.listTasks({ filter: 'labels.of = "result"' })).tasks, [watched]);
});

test('the same request twice is one task, which is answered as it is by then', async (t) => {
  const url = source.serve('/twice', gives(image.bytes));
  const request = {
    ...importFrom(url, { image: { name: 'x', properties: { a: '1', b: '2' } } }),
    requestId: 'twice', labels: { one: '1', two: '2' }, ttl: { seconds: 3_600n, nanos: 0 },
  };
  const first = await server.api.createTask(request);
  await awaitTask(server.api, first.task!.id);
  // The order of maps is no difference.
  const again = await server.api.createTask({
    ...request, ...importFrom(url, { image: { name: 'x', properties: { b: '2', a: '1' } } }), labels: { two: '2', one: '1' },
  });
  t.deepEqual({ id: again.task?.id, state: again.task?.state }, { id: first.task?.id, state: 'STATE_SUCCEEDED' });
  t.deepEqual((await server.api.getTask({ id: again.task!.id, readToken: again.readToken })).task, again.task);
  t.is(source.count('/twice'), 1);
});

const changed: readonly (readonly [what: string, change: Part<CreateTaskRequest>])[] = [
  ['source', importFrom(`${nowhere}?other`)],
  ['expected digest', importFrom(nowhere, { expectedDigest: image.digest })],
  ['name', importFrom(nowhere, { image: { name: 'other' } })],
  ['label', { labels: { a: '2' } }],
  ['further label', { labels: { a: '1', b: '' } }],
  ['ttl', { ttl: { seconds: 61n, nanos: 0 } }],
];

for (const [what, change] of changed) {
  test(`a request id that comes again with another ${what} is refused with ALREADY_EXISTS`, async (t) => {
    const request = { ...importFrom(nowhere), requestId: `changed ${what}`, labels: { a: '1' }, ttl: { seconds: 60n, nanos: 0 } };
    const { task } = await idle.api.createTask(request);
    const refusals = await Promise.all([
      refusalOf(idle.api.createTask({ ...request, ...change })),
      refusalOf(idle.api.createTask({ ...request, ...change, validateOnly: true })),
    ]);
    for (const { code, reason, metadata } of refusals) {
      t.deepEqual({ code, reason, metadata }, { code: 'ALREADY_EXISTS', reason: 'REQUEST_ID_REUSED', metadata: { task_id: task!.id } });
    }
  });
}

test('a request that comes again is answered with its task although the configuration would not take it any more', async (t) => {
  const folder = await makeFolder(t);
  const roots = await makeFolder(t);
  const request = { ...importFrom(`file://${roots}/disk.raw`), requestId: 'rooted' };
  const before = await serveHere(t, folder, { workers: '0', 'file-roots': roots });
  const { task } = await before.api.createTask(request);
  await before.stop();
  const { api } = await serveHere(t, folder, { workers: '0' });
  t.deepEqual((await api.createTask(request)).task, task);
  t.deepEqual(await api.createTask({ ...request, validateOnly: true }), { task, readToken: '', preview: undefined });
  const refusals = [{ ...request, requestId: 'other' }, { ...request, requestId: '' }, { ...request, ttl: { seconds: -1n, nanos: 0 } }];
  for (const refused of refusals) t.like(await refusalOf(api.createTask(refused)), { code: 'INVALID_ARGUMENT' });
  t.like(await refusalOf(api.createTask({ ...request, labels: { a: 'other' } })), { code: 'ALREADY_EXISTS', reason: 'REQUEST_ID_REUSED' });
});

test('fifty callers with the same request at once get the same task, which runs once', async (t) => {
  const url = source.serve('/fifty', gives(image.bytes));
  const answers = await Promise.all(Array.from({ length: 50 }, () => server.api.createTask({ ...importFrom(url), requestId: 'fifty' })));
  t.is(new Set(answers.map(({ task }) => task!.id)).size, 1);
  const { id } = answers[0]!.task!;
  t.is((await awaitTask(server.api, id)).state, 'STATE_SUCCEEDED');
  t.is(source.count('/fifty'), 1);
  t.is(story(await eventsOf(server.api, `tasks/${id}`)).filter((what) => what === 'taskCreated').length, 1);
});

test('of fifty callers with one request id and their own contents one is accepted', async (t) => {
  const answers = await Promise.allSettled(Array.from({ length: 50 }, (_, index) =>
    idle.api.createTask({ ...importFrom(`${nowhere}?${index}`), requestId: 'race' })));
  const accepted = answers.filter(({ status }) => status === 'fulfilled');
  t.is(accepted.length, 1);
  for (const answer of answers) {
    if (answer.status === 'rejected') t.like(await refusalOf(Promise.reject(answer.reason as Error)), { code: 'ALREADY_EXISTS', reason: 'REQUEST_ID_REUSED' });
  }
});

test('two hundred creates at once are all durable, and each caller reads its own', async (t) => {
  const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => idle.api.createTask({ ...importFrom(nowhere), labels: { batch: 'big', n: String(index) } })));
  const read = await Promise.all(answers.map(({ task, readToken }) => idle.api.getTask({ id: task!.id, readToken })));
  t.deepEqual(read.map(({ task }) => task?.labels['n']), answers.map((_, index) => String(index)));
  const { tasks } = await idle.api.listTasks({ filter: 'labels.batch = "big"', pageSize: 1_000 });
  t.deepEqual(tasks.map(({ id }) => id).toSorted(), answers.map(({ task }) => task!.id).toSorted());
});

test('a read token of a future that has not come is UNAVAILABLE, not a wrong answer', async (t) => {
  const { task, readToken } = await idle.api.createTask(importFrom(nowhere));
  const future = readToken.replace(/\d+$/, (offset) => String(Number(offset) + 1_000_000));
  const refused = await Promise.all([
    refusalOf(idle.api.getTask({ id: task!.id, readToken: future })),
    refusalOf(idle.api.listTasks({ readToken: future })),
    refusalOf(idle.api.listImages({ readToken: future })),
    refusalOf(idle.api.listEvents({ subject: `tasks/${task!.id}`, readToken: future })),
  ]);
  for (const { code, reason } of refused) t.deepEqual({ code, reason }, { code: 'UNAVAILABLE', reason: 'PROJECTION_LAGGING' });
});

test('validate_only answers what would happen, and nothing does', async (t) => {
  const request = { ...importFrom(nowhere, { image: { name: 'would be' } }), requestId: 'rehearsed', labels: { only: 'rehearsed' }, validateOnly: true };
  const { task, readToken } = await idle.api.createTask(request);
  t.like(task, { state: 'STATE_PENDING', revision: 0n, labels: { only: 'rehearsed' }, owner: 'default' });
  t.is(readToken, '');
  t.like(await refusalOf(idle.api.getTask({ id: task!.id })), { code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' });
  t.deepEqual((await idle.api.listTasks({ filter: 'labels.only = "rehearsed"' })).tasks, []);
  t.deepEqual((await refusalOf(idle.api.createTask({ ...request, ...importFrom('nonsense') }))).violations.map(({ field }) => field), [
    'spec.import_image.source_uri',
  ]);
  const real = await idle.api.createTask({ ...request, validateOnly: false });
  t.deepEqual({ id: real.task?.id, revision: real.task?.revision }, { id: task?.id, revision: 1n });
  t.is((await idle.api.createTask(request)).task?.revision, 1n);
});

test('a list is read page by page, each task once, in every order', async (t) => {
  const created = await Promise.all(Array.from({ length: 25 }, () => createImport(idle.api, nowhere, { labels: { list: 'paged' } })));
  const filter = 'labels.list = "paged"';
  for (const orderBy of ['create_time', 'create_time desc', 'update_time', 'update_time desc']) {
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await idle.api.listTasks({ filter, orderBy, pageSize: 10, pageToken });
      t.true(page.tasks.length <= 10);
      seen.push(...page.tasks.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    t.deepEqual(seen.toSorted(), created.map(({ id }) => id).toSorted(), orderBy);
  }
});

test('tasks are found by their state', async (t) => {
  const [done, canceled] = await Promise.all([
    createImport(server.api, source.serve('/done', gives(image.bytes)), { labels: { by: 'state' } }),
    createImport(server.api, source.serve('/held', new Gate(image.bytes).behaviour), { labels: { by: 'state' } }),
  ]);
  await server.api.cancelTask({ id: canceled.id });
  await awaitTasks(server.api, [done.id, canceled.id]);
  const listed = async (state: string): Promise<readonly string[]> =>
    (await server.api.listTasks({ filter: `labels.by = "state" AND state = ${state}` })).tasks.map(({ id }) => id);
  t.deepEqual([await listed('STATE_SUCCEEDED'), await listed('STATE_CANCELED'), await listed('STATE_PENDING')], [[done.id], [canceled.id], []]);
});
