interface Step {
  readonly timeMs: number;
  readonly order: number;
  readonly run: () => void;
  canceled: boolean;
}

/**
 * Virtual time: steps in the order of their times, and of their making where those are equal. After each step everything
 * that it set off runs to its end, so the order of all that happens depends on the steps alone.
 */
export class Scheduler {
  readonly #heap: Step[] = [];
  #nowMs = 0;
  #made = 0;
  #taken = 0;

  /** Virtual milliseconds since the start; they only grow. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Steps that were run. */
  get steps(): number {
    return this.#taken;
  }

  /** Runs `run` after `delayMs`; the function that it returns takes that back. */
  at(delayMs: number, run: () => void): () => void {
    const step: Step = { timeMs: this.#nowMs + delayMs, order: this.#made, run, canceled: false };
    this.#made += 1;
    this.#push(step);
    return () => { step.canceled = true; };
  }

  /** Resolves after `delayMs`. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.at(delayMs, resolve));
  }

  /** Runs the next step and all that follows from it. False: there is none. */
  async step(): Promise<boolean> {
    let next = this.#pop();
    while (next?.canceled === true) next = this.#pop();
    if (next === undefined) return false;
    this.#nowMs = next.timeMs;
    this.#taken += 1;
    next.run();
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }

  #push(step: Step): void {
    const heap = this.#heap;
    let at = heap.push(step) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(step, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = step;
  }

  #pop(): Step | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || last === top) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function isBefore(a: Step, b: Step): boolean {
  return a.timeMs === b.timeMs ? a.order < b.order : a.timeMs < b.timeMs;
}
