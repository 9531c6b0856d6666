import type { Clock } from '../../src/domain/clock.ts';
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
  readonly number: number;
  readonly clock: Clock;
  /** What to do after a crash. */
  onCrash: () => void = () => undefined;
  readonly #world: World;
  #alive = true;
  #saidGoodbye = false;
  #silentSinceMs: number | undefined;
  #pausedUntilMs = 0;
  #bornMs: number;

  constructor(world: World, machine: Machine, number: number) {
    this.#world = world;
    this.machine = machine;
    this.number = number;
    this.incarnation = `${machine.node}/${number}`;
    this.#bornMs = world.scheduler.nowMs;
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

  get paused(): boolean {
    return this.#world.scheduler.nowMs < this.#pausedUntilMs;
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
    this.#silentSinceMs ??= this.#world.scheduler.nowMs;
    this.#world.note(this.incarnation, `crashes ${when}`);
    this.#world.count('crash');
    this.onCrash();
  }

  /** The process has ended by itself and told the others. */
  leave(): void {
    this.#alive = false;
    this.#saidGoodbye = true;
    this.#world.note(this.incarnation, 'says goodbye');
  }

  /** Stops running for a while, unheard: what others take for a death. */
  pause(durationMs: number): void {
    this.#world.note(this.incarnation, `pauses for ${durationMs} ms`);
    this.#world.count('pause');
    this.#pausedUntilMs = this.#world.scheduler.nowMs + durationMs;
    this.muffle(durationMs);
  }

  /** Goes on running, but its heartbeats do not come through for a while. */
  muffle(durationMs: number): void {
    this.#silentSinceMs ??= this.#world.scheduler.nowMs;
    this.#world.scheduler.at(durationMs, () => {
      if (!this.#alive) return;
      this.#silentSinceMs = undefined;
      // Who was away judges nobody before it has listened again for a while.
      this.#bornMs = this.#world.scheduler.nowMs;
    });
  }

  /** Whether the others may take this one for dead (design rule 8): a goodbye, or silence for 8 s. */
  get seemsDead(): boolean {
    return this.#saidGoodbye || (this.#silentSinceMs !== undefined && this.#world.scheduler.nowMs - this.#silentSinceMs >= 8_000);
  }

  /** Whether this one may judge others: it has heard its own heartbeats for 8 s. */
  get mayJudge(): boolean {
    return this.#silentSinceMs === undefined && this.#world.scheduler.nowMs - this.#bornMs >= 8_000;
  }
}
