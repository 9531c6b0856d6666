import test from 'ava';
import { dispatchJobs } from '../../src/jobs/dispatcher.ts';
import type { JobQueue } from '../../src/jobs/job-queue.ts';
import { Feed } from '../../src/projector/feed.ts';
import { startPosition } from '../../src/log/position.ts';
import { taskStreams } from '../../src/streams/task-streams.ts';
import { cancel, create, fail, start, taskId } from '../domain/task-fixtures.ts';
import { ScriptedLog } from '../streams/scripted-log.ts';

function listing(): { readonly queue: JobQueue; readonly offered: (readonly [taskId: string, occasion: string | undefined])[] } {
  const offered: (readonly [string, string | undefined])[] = [];
  return { offered, queue: { offer: (id, occasion) => { offered.push([id, occasion]); }, take: () => Promise.reject(new Error('nobody takes')) } };
}

test('a job is offered for each task that was created and for each that is to be canceled, on the occasion of that event', async (t) => {
  const log = new ScriptedLog();
  const tasks = taskStreams(log, log.readSide);
  for (const command of [create(0), start(1), cancel(2)]) await tasks.execute(taskId, command);
  const { queue, offered } = listing();
  const feed = new Feed(log, async () => undefined, startPosition);
  const stop = dispatchJobs(feed, queue);
  await feed.run(new AbortController().signal);
  t.deepEqual(offered, [[taskId, '0-1'], [taskId, '0-3']]);
  stop();
  await feed.run(new AbortController().signal);
  t.is(offered.length, 2);
});

test('a task that is canceled while it waits for another attempt has a job that clears up; one that had no attempt has none', async (t) => {
  for (const [commands, expected] of [
    [[create(0), start(1), fail(2, 1), cancel(3)], [[taskId, '0-1'], [taskId, '0-4']]],
    [[create(0), cancel(1)], [[taskId, '0-1']]],
  ] as const) {
    const log = new ScriptedLog();
    const tasks = taskStreams(log, log.readSide);
    for (const command of commands) await tasks.execute(taskId, command);
    const { queue, offered } = listing();
    const feed = new Feed(log, async () => undefined, startPosition);
    dispatchJobs(feed, queue);
    await feed.run(new AbortController().signal);
    t.deepEqual(offered, expected);
  }
});
