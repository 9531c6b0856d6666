import test from 'ava';
import { MemoryJobQueue } from '../../src/jobs/memory/memory-job-queue.ts';
import { waitingJobLimit } from '../../src/jobs/memory/waiting-jobs.ts';

const never = new AbortController().signal;

async function takeAll(queue: MemoryJobQueue, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let taken = 0; taken < count; taken += 1) ids.push((await queue.take(never)).taskId);
  return ids;
}

test('jobs are taken in the order in which they came, each once however often it was offered', async (t) => {
  const queue = new MemoryJobQueue(() => t.fail('nothing was dropped'));
  for (const id of ['a', 'b', 'a', 'c', 'b', 'a']) queue.offer(id);
  t.deepEqual(await takeAll(queue, 3), ['a', 'b', 'c']);
  queue.offer('a');
  t.deepEqual(await takeAll(queue, 1), ['a']);
});

test('who waits gets the next job, the first come first', async (t) => {
  const queue = new MemoryJobQueue(() => undefined);
  const takers = [queue.take(never), queue.take(never)];
  queue.offer('a');
  queue.offer('b');
  queue.offer('c');
  t.deepEqual((await Promise.all(takers)).map(({ taskId }) => taskId), ['a', 'b']);
  t.deepEqual(await takeAll(queue, 1), ['c']);
});

test('who leaves takes no job along', async (t) => {
  const queue = new MemoryJobQueue(() => undefined);
  const reason = new Error('left');
  const leave = new AbortController();
  const leaving = queue.take(leave.signal);
  const staying = queue.take(never);
  leave.abort(reason);
  t.is(await t.throwsAsync(leaving), reason);
  await t.throwsAsync(queue.take(AbortSignal.abort(reason)), { is: reason });
  queue.offer('a');
  t.is((await staying).taskId, 'a');
});

test('what has no room is dropped, and asked for once half of the rest is gone', async (t) => {
  let asked = 0;
  const queue = new MemoryJobQueue(() => { asked += 1; });
  const ids = Array.from({ length: waitingJobLimit + 5 }, (_, index) => `t${index}`);
  for (const id of ids) queue.offer(id);
  t.deepEqual(await takeAll(queue, waitingJobLimit / 2 - 1), ids.slice(0, waitingJobLimit / 2 - 1));
  t.is(asked, 0);
  await takeAll(queue, 1);
  t.is(asked, 1);
  t.deepEqual(await takeAll(queue, waitingJobLimit / 2), ids.slice(waitingJobLimit / 2, waitingJobLimit));
  t.is(asked, 1);
  queue.offer('late');
  t.deepEqual(await takeAll(queue, 1), ['late']);
});

test('jobs that were asked for again, from within the asking, come after those that wait', async (t) => {
  const ids = Array.from({ length: waitingJobLimit + 5 }, (_, index) => `t${index}`);
  const queue: MemoryJobQueue = new MemoryJobQueue(() => { for (const id of ids.slice(-5)) queue.offer(id); });
  for (const id of ids) queue.offer(id);
  t.deepEqual(await takeAll(queue, ids.length), ids);
});
