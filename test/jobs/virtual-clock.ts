import type { Clock } from '../../src/domain/clock.ts';
import { Scheduler } from '../simulation/scheduler.ts';

/** A clock that a test moves: everything that is due on the way is called, in order. */
export class VirtualClock implements Clock {
  /** The longest delay that was asked for. */
  longestDelayMs = 0;
  readonly #scheduler = new Scheduler();
  #offsetMs = Date.UTC(2026, 0, 1);

  now(): Date {
    return new Date(this.#offsetMs + this.#scheduler.nowMs);
  }

  monotonicMs(): number {
    return this.#scheduler.nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    this.longestDelayMs = Math.max(this.longestDelayMs, delayMs);
    return this.#scheduler.at(delayMs, callback);
  }

  /** Sets the wall clock by `stepMs`; no time passes. */
  step(stepMs: number): void {
    this.#offsetMs += stepMs;
  }

  /** Lets so much time pass. */
  async pass(durationMs: number): Promise<void> {
    // What was set off before the call belongs to the time before.
    await new Promise((resolve) => setImmediate(resolve));
    const untilMs = this.#scheduler.nowMs + durationMs;
    this.#scheduler.at(durationMs, () => undefined);
    while (this.#scheduler.nowMs < untilMs) await this.#scheduler.step();
  }
}
