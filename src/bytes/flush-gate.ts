/** Lets a bounded number of flushes through at a time. Who finds it closed comes again later: there is no line. */
export class FlushGate {
  #free: number;

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Whether there was room; if so, `leave` has to follow. */
  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Makes room for another one. */
  leave(): void {
    this.#free += 1;
  }
}
