import type { Job, JobQueue } from '../job-queue.ts';

/** Jobs that may wait; more are dropped, and asked for again once half of these are gone. */
export const waitingJobLimit = 10_000;

/** The job queue of the embedded service: first in, first out, each task at most once. */
export class MemoryJobQueue implements JobQueue {
  readonly #waiting = new Set<string>();
  readonly #takers: { resolve: (taskId: string) => void }[] = [];
  readonly #onRoom: () => void;
  #dropped = false;

  /** `onRoom` is called when jobs were dropped and there is room again: offer them once more. */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  offer(taskId: string): void {
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.resolve(taskId);
    } else if (this.#waiting.size < waitingJobLimit) {
      this.#waiting.add(taskId);
    } else {
      this.#dropped = true;
    }
  }

  async take(signal: AbortSignal): Promise<Job> {
    signal.throwIfAborted();
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      if (this.#dropped && this.#waiting.size <= waitingJobLimit / 2) {
        this.#dropped = false;
        this.#onRoom();
      }
      return jobOf(next);
    }
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const taker = { resolve };
    const onAbort = () => {
      const index = this.#takers.indexOf(taker);
      if (index >= 0) this.#takers.splice(index, 1);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#takers.push(taker);
    try {
      return jobOf(await promise);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function jobOf(taskId: string): Job {
  return { taskId, done: () => undefined };
}
