/** How long a job works before it lets the transfers of its thread go on. */
const sliceMs = 10;

/** A job was given up by whoever asked for it. */
export class JobAbortedError extends Error {
  override readonly name = 'JobAbortedError';
}

/**
 * The manners of a long job in a pool thread, which transfers share with it: it works in slices, tells how far it is after
 * each, and stops between two of them when it is given up.
 */
export class JobContext {
  readonly #tell: (bytesDone: number, bytesTotal: number) => void;
  readonly #giveUp = new AbortController();
  #sliceStartMs = performance.now();

  /** `tell` is called after each slice. */
  constructor(tell: (bytesDone: number, bytesTotal: number) => void) {
    this.#tell = tell;
  }

  /** Aborts with `JobAbortedError` when the job is given up; for what waits for something else than its turn. */
  get signal(): AbortSignal {
    return this.#giveUp.signal;
  }

  /** The job's next `pause` rejects with `JobAbortedError`. */
  abort(): void {
    this.#giveUp.abort(new JobAbortedError('The job was given up.'));
  }

  /** To be called often, and awaited where it gives a promise: the slice is over. `bytesTotal` 0: unknown. */
  pause(bytesDone: number, bytesTotal: number): Promise<void> | undefined {
    if (performance.now() - this.#sliceStartMs < sliceMs) return undefined;
    this.#tell(bytesDone, bytesTotal);
    return this.#rest();
  }

  async #rest(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.signal.throwIfAborted();
    this.#sliceStartMs = performance.now();
  }
}
