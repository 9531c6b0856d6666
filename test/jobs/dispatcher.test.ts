import test from 'ava';
import { dispatchJobs, sweepUnfinished } from '../../src/jobs/dispatcher.ts';
import type { JobQueue } from '../../src/jobs/job-queue.ts';
import { Feed } from '../../src/projector/feed.ts';
import { startPosition } from '../../src/log/position.ts';
import type { TaskPlace, TaskQueries } from '../../projections/tasks/queries.ts';
import { taskStreams } from '../../src/streams/task-streams.ts';
import { cancel, create, start, taskId } from '../domain/task-fixtures.ts';
import { ScriptedLog } from '../streams/scripted-log.ts';

function listing(): { readonly queue: JobQueue; readonly offered: string[] } {
  const offered: string[] = [];
  return { offered, queue: { offer: (id) => { offered.push(id); }, take: () => Promise.reject(new Error('nobody takes')) } };
}

test('a job is offered for each task that was created and for each that is to be canceled', async (t) => {
  const log = new ScriptedLog();
  const tasks = taskStreams(log, log.readSide);
  for (const command of [create(0), start(1), cancel(2)]) await tasks.execute(taskId, command);
  const { queue, offered } = listing();
  const feed = new Feed(log, async () => undefined, startPosition);
  const stop = dispatchJobs(feed, queue);
  await feed.run(new AbortController().signal);
  t.deepEqual(offered, [taskId, taskId]);
  stop();
  await feed.run(new AbortController().signal);
  t.is(offered.length, 2);
});

test('a sweep offers every unfinished task once, whatever the number of pages', (t) => {
  const all = Array.from({ length: 2_500 }, (_, index): TaskPlace => ({ id: `t${index}`, createTimeMs: Math.trunc(index / 7) }));
  const queries: Pick<TaskQueries, 'unfinished'> = {
    unfinished: (after, limit) => {
      const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after.id) + 1;
      return all.slice(from, from + limit);
    },
  };
  const { queue, offered } = listing();
  t.is(sweepUnfinished(queries as TaskQueries, queue), 2_500);
  t.deepEqual(offered, all.map(({ id }) => id));
});
