import { seededRandom } from '../domain/seeded-random.ts';

/** All chance of one simulation: the same draws for the same seed. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  /** From 0 to below 1. */
  fraction(): number {
    return this.#next();
  }

  /** True with probability `share`. */
  chance(share: number): boolean {
    return this.#next() < share;
  }

  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.#next() * (most - least + 1));
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.between(0, items.length - 1)] as T;
  }

  /** A delay: mostly near `typicalMs`, now and then up to 20 times as long. */
  delayMs(typicalMs: number): number {
    return this.chance(0.05) ? this.between(0, 20 * typicalMs) : this.between(0, 2 * typicalMs);
  }
}
