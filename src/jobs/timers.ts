import type { Timer, TimerPlace, TimerQueries } from '../../projections/timers/queries.ts';
import type { Clock } from '../domain/clock.ts';

/** Timers that fire together at most; the rest follow at once. */
const firingLimit = 200;

/**
 * After so long at the latest the clock is looked at again, in case the wall clock was set, and timers that have fired
 * but are still there (their job was lost, say) fire once more.
 */
const longestWaitMs = 60_000;

/** A timer whose command failed (a full disk, say) is tried again after so long. */
const retryFailedMs = 1_000;

const firstPlace: TimerPlace = { dueTimeMs: -1, taskId: '' };

/**
 * In a cluster a node waits for a random part of this before it looks which timers are due. Whoever looks first fires them;
 * the others then find most of them gone and write no record in vain.
 */
export const clusterSpreadMs = 1_000;

/** How the nodes of a cluster stay out of each other's way. */
export interface TimerSpread {
  readonly spreadMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** One node alone fires at once. */
const noSpread: TimerSpread = { spreadMs: 0, random: () => 0 };

/**
 * Fires the timers of the projection when they are due: one armed clock, set to the earliest of them, and set anew when
 * the projection changes. Which timers are due is read when the clock rings, after the spread. `fire` decides on the present
 * state, so that a timer that fires twice or too early does no harm.
 */
export class Timers {
  readonly #queries: TimerQueries;
  readonly #clock: Clock;
  readonly #fire: (timer: Timer) => Promise<void>;
  readonly #spread: TimerSpread;
  #disarm: (() => void) | undefined;
  #armedForMs = Infinity;
  #firing: Promise<void> | undefined;
  /** Timers up to here have fired and wait for what they set off. */
  #fired = firstPlace;
  #firedResetAtMs: number;
  #stopped = false;

  constructor(queries: TimerQueries, clock: Clock, fire: (timer: Timer) => Promise<void>, spread: TimerSpread = noSpread) {
    this.#spread = spread;
    this.#queries = queries;
    this.#clock = clock;
    this.#fire = fire;
    this.#firedResetAtMs = clock.monotonicMs();
  }

  /** Sets the clock to the earliest timer. Call it at the start, and whenever the projection may have changed. */
  arm(): void {
    if (this.#stopped || this.#firing !== undefined) return;
    const dueMs = this.#queries.nextDueTimeMs(this.#fired) ?? (this.#fired === firstPlace ? Infinity : Number.MAX_VALUE);
    if (dueMs === this.#armedForMs) return;
    this.#armedForMs = dueMs;
    const { spreadMs, random } = this.#spread;
    this.#wait(dueMs === Infinity ? undefined : Math.max(dueMs - this.#clock.now().getTime(), 0) + Math.floor(random() * spreadMs));
  }

  /** Lets what is firing end and fires no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wait(undefined);
    await this.#firing;
  }

  #wait(delayMs: number | undefined): void {
    this.#disarm?.();
    // Counted from the last look, not from now: a projection that never rests would put it off for ever.
    const longestMs = this.#firedResetAtMs + longestWaitMs - this.#clock.monotonicMs();
    this.#disarm = delayMs === undefined
      ? undefined
      : this.#clock.schedule(Math.max(Math.min(delayMs, longestMs), 0), () => { this.#onTime(); });
  }

  #onTime(): void {
    this.#armedForMs = Infinity;
    if (this.#clock.monotonicMs() - this.#firedResetAtMs >= longestWaitMs) {
      this.#fired = firstPlace;
      this.#firedResetAtMs = this.#clock.monotonicMs();
    }
    const due = this.#queries.due(this.#fired, this.#clock.now().getTime(), firingLimit);
    this.#fired = due.at(-1) ?? this.#fired;
    this.#firing = Promise.allSettled(due.map((timer) => this.#fire(timer))).then((results) => {
      this.#firing = undefined;
      if (this.#stopped) return;
      if (results.every(({ status }) => status === 'fulfilled')) return this.arm();
      this.#fired = firstPlace;
      this.#wait(retryFailedMs);
    });
  }
}
