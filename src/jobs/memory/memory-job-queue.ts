import type { Job, JobQueue } from '../job-queue.ts';
import { Takers } from '../takers.ts';
import { WaitingJobs } from './waiting-jobs.ts';

/** The job queue of the embedded service. There is only one node to offer a task, so the occasion says nothing here. */
export class MemoryJobQueue implements JobQueue {
  readonly #waiting: WaitingJobs;
  readonly #takers = new Takers<string>();

  /** `onRoom` is called when jobs were dropped and there is room again: offer them once more. */
  constructor(onRoom: () => void) {
    this.#waiting = new WaitingJobs(onRoom);
  }

  offer(taskId: string): void {
    if (!this.#takers.give(taskId)) this.#waiting.add(taskId);
  }

  async take(signal: AbortSignal): Promise<Job> {
    signal.throwIfAborted();
    const taskId = this.#waiting.take() ?? await this.#takers.wait(signal);
    return { taskId, done: () => undefined };
  }
}
