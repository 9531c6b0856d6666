import type { TaskPlace, TaskQueries } from '../../projections/tasks/queries.ts';
import type { AppliedEvent, Feed } from '../projector/feed.ts';
import type { JobQueue } from './job-queue.ts';

/** Unfinished tasks that are read from the projection at a time. */
const sweepPage = 1_000;

/**
 * Offers a job for each task that was just created, and for each that is to be canceled: where its attempt runs here the job
 * changes nothing, and where nobody runs it any more the worker ends it. Returns how to stop.
 */
export function dispatchJobs(feed: Feed, queue: JobQueue): () => void {
  return feed.listen((events: readonly AppliedEvent[]) => {
    for (const { id, event } of events) {
      const { $case } = event.payload;
      if ($case === 'taskCreated' || $case === 'cancelRequested') queue.offer(id);
    }
  });
}

/**
 * Offers a job for each task that has not ended: at the start, and when jobs were lost. A job for a task that is running
 * well or not yet due changes nothing.
 */
export function sweepUnfinished(tasks: TaskQueries, queue: JobQueue): number {
  let offered = 0;
  let after: TaskPlace | undefined;
  for (;;) {
    const page = tasks.unfinished(after, sweepPage);
    for (const { id } of page) queue.offer(id);
    offered += page.length;
    after = page.at(-1);
    if (page.length < sweepPage) return offered;
  }
}
