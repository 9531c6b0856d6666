/** Somebody who waits for a slot. */
export interface SlotWaiter {
  /** Called once, with a slot that is now the waiter's. */
  take(slot: number): void;
}

/**
 * Counts the slots of one pool thread. Who finds none free waits in line, and nobody overtakes the line, so a fast
 * transfer cannot keep slots from slow ones. The line is bounded by the number of transfers: each waits at most once.
 */
export class SlotPool {
  readonly #free: number[];
  readonly #waiters = new Set<SlotWaiter>();

  constructor(count: number) {
    this.#free = Array.from({ length: count }, (_, index) => count - 1 - index);
  }

  /** The number of slots that nobody holds. */
  get freeCount(): number {
    return this.#free.length;
  }

  /** The number of those who wait. */
  get waitingCount(): number {
    return this.#waiters.size;
  }

  /** A free slot, or undefined where there is none or others wait already. */
  tryTake(): number | undefined {
    return this.#waiters.size === 0 ? this.#free.pop() : undefined;
  }

  /** Joins the end of the line. */
  wait(waiter: SlotWaiter): void {
    this.#waiters.add(waiter);
  }

  /** Leaves the line. */
  stopWaiting(waiter: SlotWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** Gives a slot back; the first in the line gets it. */
  give(slot: number): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.take(slot);
      return;
    }
    this.#free.push(slot);
  }
}
