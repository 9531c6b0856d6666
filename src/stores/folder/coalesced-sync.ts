/**
 * Runs an operation that serves everybody who asked before it began, such as the flush of a folder: at most one is under way
 * and at most one waits, however many ask. Who asks while one is under way gets the next, since the one under way may have
 * missed what came before the asking.
 */
export class CoalescedSync {
  readonly #operation: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(operation: () => Promise<void>) {
    this.#operation = operation;
  }

  /** Resolves when a run that began after this call has succeeded; rejects when that run fails. */
  sync(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#run();
    this.#next = this.#running.catch(() => undefined).then(() => {
      this.#next = undefined;
      return this.#run();
    });
    return this.#next;
  }

  #run(): Promise<void> {
    const run = this.#operation().finally(() => {
      this.#running = undefined;
    });
    this.#running = run;
    return run;
  }
}
