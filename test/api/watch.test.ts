import test from 'ava';

import type { Task } from '../../src/gen/lehr/v1/task.ts';
import type { WatchTasksResponse } from '../../src/gen/lehr/v1/task_service.ts';
import { watchBufferLimit } from '../../src/api/watch/watch-buffer.ts';
import { progressIntervalMs } from '../../src/worker/progress-reporter.ts';
import { connectApi } from '../acceptance/harness/api.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import { makeFolder, startServer } from '../acceptance/harness/lehr-server.ts';
import { Refused, refusalOf, refusalOfServiceError } from '../acceptance/harness/refused.ts';
import { gives, startSource, trickles } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport, hasEnded, importFrom } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { serveHere } from './serve-here.ts';
import type { ServerHere } from './serve-here.ts';

const image = rawDisk(64 * 1024, 1);
const shared = new Teardowns();
let source: SourceServer;
let server: ServerHere;

test.before(async () => {
  source = await startSource(shared);
  server = await serveHere(shared, await makeFolder(shared));
});

test.after.always(() => shared.run());

type Message = NonNullable<WatchTasksResponse['message']>;

/** The messages of a watch, as a list that grows; each `until` goes on where the last one ended. */
class Watch {
  readonly seen: Message[] = [];
  readonly #messages: AsyncGenerator<WatchTasksResponse, void, undefined>;

  constructor(messages: AsyncGenerator<WatchTasksResponse, void, undefined>) {
    this.#messages = messages;
  }

  /** Reads on to a message that is as asked for, and gives it. */
  async until(isAsAsked: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const { value, done } = await this.#messages.next();
      if (done === true) throw new Error('the watch ended before that');
      this.seen.push(value.message!);
      if (isAsAsked(value.message!)) return value.message!;
    }
  }

  async close(): Promise<void> {
    await this.#messages.return();
  }
}

const taskOf = (message: Message): Task | undefined => (message.$case === 'snapshot' || message.$case === 'change' ? message.value : undefined);
const tokenOf = (message: Message): string => {
  if (message.$case === 'snapshotEnd' || message.$case === 'bookmark') return message.value.resumeToken;
  throw new Error(`${message.$case} has no token`);
};
const isEnd = ({ $case }: Message): boolean => $case === 'snapshotEnd';
const isChange = (id: string, state: Task['state']) => (message: Message): boolean =>
  message.$case === 'change' && message.value.id === id && message.value.state === state;

test('a watch begins with the tasks as they are, says where they end, and goes on with what changes', async (t) => {
  const labels = { watch: 'whole' };
  const filter = 'labels.watch = "whole"';
  const before = await createImport(server.api, source.serve('/before', gives(image.bytes)), { labels });
  const ended = await awaitTask(server.api, before.id);
  const watch = new Watch(server.api.watchTasks({ filter }));
  await watch.until(isEnd);
  t.deepEqual(watch.seen.slice(0, -1), [{ $case: 'snapshot', value: ended }]);
  const after = await createImport(server.api, source.serve('/after', gives(image.bytes)), { labels });
  await createImport(server.api, source.serve('/other', gives(image.bytes)), { labels: { watch: 'other' } });
  await watch.until(isChange(after.id, 'STATE_SUCCEEDED'));
  const changes = watch.seen.slice(2).map(taskOf).filter((task) => task !== undefined);
  t.deepEqual([...new Set(changes.map(({ id }) => id))], [after.id]);
  const revisions = changes.map(({ revision }) => revision);
  t.deepEqual(revisions, revisions.toSorted((a, b) => Number(a - b)));
  t.deepEqual(changes.at(-1), (await server.api.getTask({ id: after.id })).task);
  await watch.close();
});

test('a task that matches no longer is removed from the watch', async (t) => {
  const gate = new Gate(image.bytes);
  const watch = new Watch(server.api.watchTasks({ filter: 'state = STATE_RUNNING AND labels.watch = "running"' }));
  await watch.until(isEnd);
  t.deepEqual(watch.seen.length, 1);
  const { id } = await createImport(server.api, source.serve('/running', gate.behaviour), { labels: { watch: 'running' } });
  await watch.until(isChange(id, 'STATE_RUNNING'));
  gate.open();
  const removed = await watch.until(({ $case }) => $case === 'removed');
  t.deepEqual(removed, { $case: 'removed', value: { id } });
  t.true(watch.seen.every((message) => (taskOf(message)?.state ?? 'STATE_RUNNING') === 'STATE_RUNNING'));
  await watch.close();
});

test('progress comes at most four times a second, grows to the end, and GetTask shows it too', async (t) => {
  const size = 192 * 1024;
  const { id } = await createImport(server.api, source.serve('/trickle', trickles(rawDisk(size, 2).bytes, 64 * 1024)), { labels: { watch: 'progress' } });
  const watch = new Watch(server.api.watchTasks({ filter: 'labels.watch = "progress"' }));
  const told: { readonly atMs: number; readonly bytesDone: bigint }[] = [];
  const shown: Promise<Task | undefined>[] = [];
  await watch.until((message) => {
    if (message.$case === 'progress') {
      t.like(message.value, { id, progress: { stage: 'fetch', bytesTotal: BigInt(size) } });
      told.push({ atMs: performance.now(), bytesDone: message.value.progress!.bytesDone });
      shown.push(server.api.getTask({ id }).then(({ task }) => task));
    }
    const task = taskOf(message);
    return task !== undefined && hasEnded(task);
  });
  const elapsedMs = told.at(-1)!.atMs - told[0]!.atMs;
  t.true(told.length >= 5, `${told.length} in ${elapsedMs} ms`);
  t.true(told.length <= elapsedMs / progressIntervalMs + 2, `${told.length} in ${elapsedMs} ms`);
  const done = told.map(({ bytesDone }) => Number(bytesDone));
  t.deepEqual(done, done.toSorted((a, b) => a - b));
  t.true(done.at(-1)! <= size && done.at(-1)! > 0);
  const shownProgress = (await Promise.all(shown)).map((task) => task?.progress);
  t.true(shownProgress.some((progress) => progress !== undefined && progress.bytesDone > 0n && progress.bytesPerSecond > 0n), 'GetTask shows it');
  t.true(watch.seen.some(({ $case }) => $case === 'bookmark'), 'a bookmark came on the way');
  await watch.close();
});

test('a watch that is resumed on the next life of the server misses nothing and repeats no snapshot', async (t) => {
  const folder = await makeFolder(t);
  const first = await startServer(t, folder);
  const labels = { watch: 'resumed' };
  const filter = 'labels.watch = "resumed"';
  const old = await createImport(first.api, source.serve('/old', gives(image.bytes)), { labels });
  await awaitTask(first.api, old.id);
  const watch = new Watch(first.api.watchTasks({ filter }));
  const resumeToken = tokenOf(await watch.until(isEnd));
  await watch.close();

  const missed = await createImport(first.api, source.serve('/missed', gives(image.bytes)), { labels });
  await awaitTask(first.api, missed.id);
  const held = await createImport(first.api, source.serve('/held', new Gate(image.bytes).behaviour), { labels });
  await awaitTask(first.api, held.id, ({ state }) => state === 'STATE_RUNNING');
  await first.kill('SIGKILL');

  const second = await serveHere(t, folder);
  const resumed = new Watch(second.api.watchTasks({ filter, resumeToken }));
  await resumed.until(isChange(held.id, 'STATE_RUNNING'));
  await second.api.cancelTask({ id: held.id });
  await resumed.until(isChange(held.id, 'STATE_CANCELED'));
  const last = new Map(resumed.seen.map(taskOf).filter((task) => task !== undefined).map(({ id, state }) => [id, state]));
  t.deepEqual(last, new Map([[missed.id, 'STATE_SUCCEEDED'], [held.id, 'STATE_CANCELED']]));
  t.false(resumed.seen.some(({ $case }) => $case === 'snapshot' || $case === 'snapshotEnd'));
  t.is(resumed.seen.find(({ $case }) => $case === 'bookmark')?.$case, 'bookmark');
  await resumed.close();
});

test('a resumed watch is told of tasks that matched once and do no longer', async (t) => {
  const gate = new Gate(image.bytes);
  const filter = 'state = STATE_RUNNING AND labels.watch = "gone"';
  const { id } = await createImport(server.api, source.serve('/gone', gate.behaviour), { labels: { watch: 'gone' } });
  await awaitTask(server.api, id, ({ state }) => state === 'STATE_RUNNING');
  const watch = new Watch(server.api.watchTasks({ filter }));
  const resumeToken = tokenOf(await watch.until(isEnd));
  t.deepEqual(watch.seen.map((message) => taskOf(message)?.id), [id, undefined]);
  await watch.close();
  gate.open();
  await awaitTask(server.api, id);
  const resumed = new Watch(server.api.watchTasks({ filter, resumeToken }));
  // Others that never matched may be named as well: what the caller saw before is not known any more.
  await resumed.until((message) => message.$case === 'removed' && message.value.id === id);
  await resumed.close();
  t.false(resumed.seen.some((message) => taskOf(message)?.id === id));
});

test('a watch is resumed with its own filter only', async (t) => {
  const watch = new Watch(server.api.watchTasks({ filter: 'kind = "import"' }));
  const resumeToken = tokenOf(await watch.until(isEnd));
  await watch.close();
  for (const filter of ['', 'kind = "export"']) {
    const refused = new Watch(server.api.watchTasks({ filter, resumeToken }));
    const { code, violations } = await refusalOf(refused.until(() => true));
    t.deepEqual({ code, fields: violations.map(({ field }) => field) }, { code: 'INVALID_ARGUMENT', fields: ['resume_token'] });
  }
});

test('a watcher that takes nothing is cut off with its last bookmark and hurts nobody; resumed, it has missed nothing', async (t) => {
  t.timeout(120_000);
  const own = await startServer(t, await makeFolder(t), { workers: '0' });
  const count = watchBufferLimit + 500;
  const seen = new Set<string>();
  // A connection of its own: what waits on it must not be in the way of the others.
  const { api, close } = connectApi(own.grpcAddress, { 'grpc.use_local_subchannel_pool': 1 });
  t.teardown(close);
  const stalled = api.openWatch({});
  const snapshotEnd = Promise.withResolvers<string>();
  let last: Message | undefined;
  stalled.on('data', ({ message }: WatchTasksResponse) => {
    last = message;
    if (message?.$case === 'change') seen.add(message.value.id);
    if (message?.$case === 'snapshotEnd') {
      stalled.pause();
      snapshotEnd.resolve(message.value.resumeToken);
    }
  });
  const ended = new Promise<Error>((resolve) => { stalled.once('error', resolve); });
  await snapshotEnd.promise;

  const lively = new Watch(own.api.watchTasks({}));
  await lively.until(isEnd);
  const livelySeen = new Set<string>();
  const livelyDone = lively.until((message) => {
    if (message.$case === 'change') livelySeen.add(message.value.id);
    return livelySeen.size === count;
  });
  const labels = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`l${index}`, 'x'.repeat(100)]));
  let left = count;
  await Promise.all(Array.from({ length: 256 }, async () => {
    while (left > 0) {
      left -= 1;
      await own.api.createTask({ ...importFrom('https://example.com/disk'), labels });
    }
  }));
  await livelyDone;
  t.is(livelySeen.size, count);
  await lively.close();

  stalled.resume();
  const refused = refusalOfServiceError(await ended as Parameters<typeof refusalOfServiceError>[0]);
  t.true(refused instanceof Refused);
  t.like(refused.refusal, { code: 'UNAVAILABLE', reason: 'WATCH_TOO_SLOW' });
  t.is(last?.$case, 'bookmark');
  t.true(seen.size < count);
  const resumed = new Watch(own.api.watchTasks({ resumeToken: tokenOf(last!) }));
  await resumed.until((message) => {
    if (message.$case === 'change') seen.add(message.value.id);
    return seen.size === count;
  });
  await resumed.close();
  t.deepEqual([...seen].toSorted(), [...livelySeen].toSorted());
});
