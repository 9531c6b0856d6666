import type { WatchTasksResponse } from '../../gen/lehr/v1/task_service.ts';

/** Tasks with something to tell that one watcher may have waiting; one that falls behind further is cut off. */
export const watchBufferLimit = 4_096;

/** A message of a watch. */
export type WatchMessage = NonNullable<WatchTasksResponse['message']>;

/**
 * What waits for one watcher: at most one change and one progress for each task, the newest; so a watcher that is a little
 * slow sees fewer steps, and what it can hold up is bounded.
 */
export class WatchBuffer {
  readonly #changes = new Map<string, WatchMessage>();
  readonly #progress = new Map<string, WatchMessage>();
  #wake = Promise.withResolvers<void>();
  /** More was put in than there is room for. What is in there is void. */
  overflowed = false;
  /** Nothing more will come: the server stops. */
  ended = false;

  putChange(taskId: string, message: WatchMessage): void {
    this.#changes.delete(taskId);
    this.#put(this.#changes, taskId, message);
  }

  /** Progress is dropped where there is no room. */
  putProgress(taskId: string, message: WatchMessage): void {
    if (this.#progress.size < watchBufferLimit) this.#put(this.#progress, taskId, message);
  }

  end(): void {
    this.ended = true;
    this.#wake.resolve();
  }

  /** Takes everything out, changes first. */
  drain(): WatchMessage[] {
    const messages = [...this.#changes.values(), ...this.#progress.values()];
    this.#changes.clear();
    this.#progress.clear();
    return messages;
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0 && this.#progress.size === 0;
  }

  /** Resolves when there is something, or nothing more will come, or `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.isEmpty || this.ended || this.overflowed || signal.aborted) return;
    this.#wake = Promise.withResolvers<void>();
    const onAbort = () => { this.#wake.resolve(); };
    signal.addEventListener('abort', onAbort, { once: true });
    await this.#wake.promise;
    signal.removeEventListener('abort', onAbort);
  }

  #put(map: Map<string, WatchMessage>, taskId: string, message: WatchMessage): void {
    map.set(taskId, message);
    if (this.#changes.size > watchBufferLimit) {
      this.overflowed = true;
      this.#changes.clear();
    }
    this.#wake.resolve();
  }
}
