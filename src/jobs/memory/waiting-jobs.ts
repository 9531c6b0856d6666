/** Jobs that may wait; more are dropped, and asked for again once half of these are gone. */
export const waitingJobLimit = 10_000;

/** Tasks that wait for a worker of this process: first in, first out, each at most once. */
export class WaitingJobs {
  readonly #taskIds = new Set<string>();
  readonly #onRoom: () => void;
  #dropped = false;

  /** `onRoom` is called when jobs were dropped and there is room again: offer them once more. */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  get size(): number {
    return this.#taskIds.size;
  }

  /** Adds a task that does not wait yet; drops it where there is no room. */
  add(taskId: string): void {
    if (this.#taskIds.size < waitingJobLimit) this.#taskIds.add(taskId);
    else if (!this.#taskIds.has(taskId)) this.#dropped = true;
  }

  /** Removes the task that has waited for longest; undefined where none waits. */
  take(): string | undefined {
    const [next] = this.#taskIds;
    if (next === undefined) return undefined;
    this.#taskIds.delete(next);
    if (this.#dropped && this.#taskIds.size <= waitingJobLimit / 2) {
      this.#dropped = false;
      this.#onRoom();
    }
    return next;
  }
}
