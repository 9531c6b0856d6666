import type { judge } from '../../src/log/head.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** An invariant that does not hold. */
export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

/** Lines of the trace that are kept for a report. */
const traceLimit = 100;

/** Noon, so that steps of the clock stay within a year. */
const startOfTimeMs = Date.UTC(2026, 5, 1, 12);

/** What all parts of one simulation share. */
export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** How often what happened: shows that a simulation reaches what it is there for. */
  readonly counts = new Map<string, number>();
  readonly #trace: string[] = [];
  violation: Violation | undefined;

  constructor(plan: Plan, random: Random, scheduler: Scheduler) {
    this.plan = plan;
    this.random = random;
    this.scheduler = scheduler;
  }

  /** Whether things still go wrong. */
  get faulty(): boolean {
    return this.scheduler.nowMs < this.plan.faultsEndMs;
  }

  /** The time of a clock that is right, in milliseconds since 1970. */
  get trueTimeMs(): number {
    return startOfTimeMs + this.scheduler.nowMs;
  }

  /** True with probability `share` while things go wrong. */
  strikes(share: number): boolean {
    return this.faulty && share > 0 && this.random.chance(share);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  note(who: string, what: string): void {
    if (this.#trace.length >= 2 * traceLimit) this.#trace.splice(0, traceLimit);
    this.#trace.push(`${(this.scheduler.nowMs / 1_000).toFixed(3).padStart(10)} ${who.padEnd(8)} ${what}`);
  }

  /** The last steps, oldest first. */
  get trace(): readonly string[] {
    return this.#trace.slice(-traceLimit);
  }

  /** Reports that `invariant` does not hold; the first one counts, and ends the simulation. */
  violate(invariant: string, detail: string): void {
    if (this.violation !== undefined) return;
    this.note('!', `${invariant}: ${detail}`);
    this.violation = { invariant, detail };
  }
}

/** The rule of the log, as `judge` of `src/log/head.ts`. */
export type Judge = typeof judge;
