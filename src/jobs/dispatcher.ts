import type { AppliedEvent, Feed } from '../projector/feed.ts';
import type { JobQueue } from './job-queue.ts';

/**
 * Offers a job for each task that was just created, and for each that is to be canceled: where its attempt runs the job
 * changes nothing, and where nobody runs it any more the worker ends it. All nodes offer it, for the same occasion: the event.
 * Returns how to stop.
 */
export function dispatchJobs(feed: Feed, queue: JobQueue): () => void {
  return feed.listen((events: readonly AppliedEvent[]) => {
    for (const { id, event, partition, offset } of events) {
      const { $case } = event.payload;
      if ($case === 'taskCreated' || $case === 'cancelRequested') queue.offer(id, `${partition}-${offset}`);
    }
  });
}
