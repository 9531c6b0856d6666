import type { AppliedEvent, Feed } from '../projector/feed.ts';
import type { JobQueue } from './job-queue.ts';

/**
 * Offers a job for each task that was just created, and for each that is to be canceled: where its attempt runs the job
 * changes nothing, and where nobody runs it any more the worker ends it. For one that is canceled there is another job: what was
 * staged for it is removed. All nodes offer it, for the same occasion: the event. Returns how to stop.
 */
export function dispatchJobs(feed: Feed, queue: JobQueue): () => void {
  return feed.listen((events: readonly AppliedEvent[]) => {
    for (const event of events) {
      if (needsJob(event)) queue.offer(event.id, `${event.partition}-${event.offset}`);
    }
  });
}

function needsJob({ event: { payload: { $case } }, revision }: AppliedEvent): boolean {
  // A task that is canceled as soon as it was created had no attempt.
  return $case === 'taskCreated' || $case === 'cancelRequested' || ($case === 'taskCanceled' && revision > 2n);
}
