import type { Clock } from '../../src/domain/clock.ts';
import { formatIncarnation } from '../../src/jobs/incarnation.ts';
import type { NodeIdentity } from '../../src/jobs/node-identity.ts';
import type { World } from './world.ts';

/** A machine whose wall clock is wrong by `offsetMs`, whatever runs on it. */
export interface Machine {
  readonly node: string;
  offsetMs: number;
}

/** How dangerous and how slow a call to a port is. */
export interface CallOptions {
  /** How many times the plan's share of crashes it takes. */
  readonly risk?: number;
  /** How long the way there, and the way back, typically takes. */
  readonly typicalMs?: number;
}

/** The longest delay that a `Clock` takes. */
const longestDelayMs = 2 ** 31 - 1;

/**
 * One life of a node: everything that its code does goes through here. Once it has crashed nothing reaches its code any
 * more: answers are not delivered, clocks do not ring. While it is paused they wait, but what it has sent arrives.
 */
export class Life {
  readonly machine: Machine;
  readonly incarnation: string;
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  /** What to do after a crash. */
  onCrash: () => void = () => undefined;
  readonly #world: World;
  readonly bornMs: number;
  #alive = true;
  #diedMs = Infinity;
  #pausedUntilMs = 0;
  #cutOffUntilMs = 0;
  #disturbedUntilMs = -Infinity;

  constructor(world: World, machine: Machine, generation: number) {
    const { node } = machine;
    this.#world = world;
    this.bornMs = world.scheduler.nowMs;
    this.machine = machine;
    this.incarnation = formatIncarnation({ node, generation });
    this.identity = { node, generation, incarnation: this.incarnation };
    this.clock = {
      now: () => new Date(world.trueTimeMs + machine.offsetMs),
      monotonicMs: () => world.scheduler.nowMs,
      schedule: (delayMs, callback) => {
        if (!(delayMs >= 0 && delayMs <= longestDelayMs)) world.violate('delays fit the clock', `${this.incarnation} asked for ${delayMs} ms`);
        return this.deliver(delayMs, callback);
      },
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Whether it has been over for so long. */
  isDeadFor(durationMs: number): boolean {
    return this.#world.scheduler.nowMs - this.#diedMs >= durationMs;
  }

  /** Whether it has run for so long without a pause and without being cut off. */
  isUndisturbedFor(durationMs: number): boolean {
    const { nowMs } = this.#world.scheduler;
    return this.#alive && nowMs - this.bornMs >= durationMs && nowMs - this.#disturbedUntilMs >= durationMs;
  }

  get paused(): boolean {
    return this.#world.scheduler.nowMs < this.#pausedUntilMs;
  }

  /** Whether its heartbeats come through neither to others nor from them. */
  get isCutOff(): boolean {
    return this.#world.scheduler.nowMs < this.#cutOffUntilMs;
  }

  /** Runs `run` in this node after `delayMs`, unless it is dead by then; when it is paused, after the pause. */
  deliver(delayMs: number, run: () => void): () => void {
    const { scheduler } = this.#world;
    const arrive = (): void => {
      if (!this.#alive) return;
      if (this.paused) cancel = scheduler.at(this.#pausedUntilMs - scheduler.nowMs, arrive);
      else run();
    };
    let cancel = scheduler.at(delayMs, arrive);
    return () => { cancel(); };
  }

  /** A call from this node's code to a port: takes time, and may crash the node before or after `effect`. */
  call<T>(what: string, effect: () => T, { risk = 1, typicalMs = 2 }: CallOptions = {}): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { random, plan } = this.#world;
    if (!this.#alive) return promise;
    this.deliver(random.delayMs(typicalMs), () => {
      if (this.#world.strikes(plan.crashShare * risk)) return this.crash(`before ${what}`);
      try {
        const result = effect();
        if (risk > 1) this.#world.note(this.incarnation, what);
        if (this.#world.strikes(plan.crashShare * risk)) return this.crash(`after ${what}`);
        this.deliver(random.delayMs(typicalMs), () => { resolve(result); });
      } catch (cause) {
        this.deliver(random.delayMs(typicalMs), () => { reject(cause); });
      }
    });
    return promise;
  }

  /** Waits in virtual time; rejects with the signal's reason when that aborts first. */
  wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const cancel = this.deliver(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    return promise;
  }

  crash(when: string): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#diedMs = this.#world.scheduler.nowMs;
    this.#world.note(this.incarnation, `crashes ${when}`);
    this.#world.count('crash');
    this.onCrash();
  }

  /** The process has ended by itself. */
  leave(): void {
    this.#alive = false;
    this.#diedMs = this.#world.scheduler.nowMs;
    this.#world.note(this.incarnation, 'leaves');
  }

  /** Stops running for a while; what arrives meanwhile waits. */
  pause(durationMs: number): void {
    this.#world.note(this.incarnation, `pauses for ${durationMs} ms`);
    this.#world.count('pause');
    this.#pausedUntilMs = this.#world.scheduler.nowMs + durationMs;
    this.#disturb(durationMs);
  }

  /** Goes on running, but no heartbeat comes through from it or to it for a while. */
  cutOff(durationMs: number): void {
    this.#world.note(this.incarnation, `is cut off for ${durationMs} ms`);
    this.#cutOffUntilMs = this.#world.scheduler.nowMs + durationMs;
    this.#disturb(durationMs);
  }

  #disturb(durationMs: number): void {
    this.#disturbedUntilMs = Math.max(this.#disturbedUntilMs, this.#world.scheduler.nowMs + durationMs);
  }
}
