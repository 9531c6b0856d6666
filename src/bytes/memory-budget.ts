interface Claim {
  readonly bytes: number;
  grant(): void;
}

/**
 * Shares a bounded amount of memory among the decoders of a thread. Who finds no room waits in line, and nobody overtakes, so
 * a large claim is met once those before it are done. No claim may be larger than the whole.
 */
export class MemoryBudget {
  readonly #waiting = new Set<Claim>();
  readonly #totalBytes: number;
  #freeBytes: number;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
    this.#freeBytes = totalBytes;
  }

  /** A share that holds nothing yet. */
  open(): MemoryShare {
    return new MemoryShare(this);
  }

  /** Called by shares. */
  enter(claim: Claim): void {
    if (claim.bytes > this.#totalBytes) throw new RangeError(`A claim of ${claim.bytes} bytes is larger than the budget.`);
    this.#waiting.add(claim);
    this.#serve();
  }

  /** Called by shares. */
  leave(claim: Claim): void {
    this.#waiting.delete(claim);
    this.#serve();
  }

  /** Called by shares. */
  give(bytes: number): void {
    this.#freeBytes += bytes;
    this.#serve();
  }

  #serve(): void {
    for (const claim of this.#waiting) {
      if (claim.bytes > this.#freeBytes) return;
      this.#waiting.delete(claim);
      this.#freeBytes -= claim.bytes;
      claim.grant();
    }
  }
}

/** What one decoder holds of a budget. */
export class MemoryShare {
  readonly #budget: MemoryBudget;
  #heldBytes = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Holds so much in place of what was held; waits for it holding nothing. Rejects with the signal's reason. */
  async claim(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.release();
    const granted = Promise.withResolvers<void>();
    const claim: Claim = {
      bytes,
      grant: () => {
        this.#heldBytes = bytes;
        granted.resolve();
      },
    };
    const giveUp = (): void => {
      this.#budget.leave(claim);
      granted.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      this.#budget.enter(claim);
      await granted.promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Gives back what is held. */
  release(): void {
    this.#budget.give(this.#heldBytes);
    this.#heldBytes = 0;
  }
}
