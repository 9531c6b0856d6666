import type { Random } from '../../simulation/random.ts';
import type { SourceFate } from './chaos-sources.ts';

/** What the owner of one task does with it. Times count from the answer to the create. */
export interface PlannedCalls {
  readonly requestId: string;
  /** How long it stays listed; undefined: longer than any run. */
  readonly ttlSeconds: number | undefined;
  /** The same create is sent to another node too, so long after the first one was sent. */
  readonly twinAfterMs: number | undefined;
  /** The same request is sent again, and other content under its request id. */
  readonly repeatAfterMs: number | undefined;
  readonly reuseAfterMs: number | undefined;
  readonly cancelAfterMs: number | undefined;
  /** A second cancel goes to another node at the same time. */
  readonly cancelTwice: boolean;
  /** Reads on any node: with the newest token that the owner has, and without one. */
  readonly readsAfterMs: readonly number[];
  readonly glancesAfterMs: readonly number[];
  /** For the owner's own chance: which nodes it asks. */
  readonly seed: number;
}

/** One import of the load. */
export interface PlannedTask extends PlannedCalls {
  readonly fate: SourceFate;
}

/** Times to live of those tasks that expire during the run. */
const shortTtlSeconds = [1, 2, 3, 5];

const goodFates: readonly SourceFate[] = ['good', 'good', 'good', 'slow', 'slow', 'busy at first', 'drops at first'];
const badFates: readonly SourceFate[] = ['missing', 'truncated', 'silent', 'no image', 'no image'];

/** Draws the task with this number. */
export function planTask(random: Random, index: number): PlannedTask {
  return { fate: random.pick(random.chance(0.8) ? goodFates : badFates), ...planCalls(random, `request-${index}`) };
}

/** Draws what an owner does under this request id. */
export function planCalls(random: Random, requestId: string): PlannedCalls {
  const optionally = (share: number, mostMs: number): number | undefined => (random.chance(share) ? random.between(0, mostMs) : undefined);
  const several = (most: number, mostMs: number): readonly number[] =>
    Array.from({ length: random.between(0, most) }, () => random.between(0, mostMs)).toSorted((a, b) => a - b);
  return {
    requestId,
    ttlSeconds: random.chance(0.5) ? random.pick(shortTtlSeconds) : undefined,
    twinAfterMs: optionally(0.2, 50),
    repeatAfterMs: optionally(0.15, 10_000),
    reuseAfterMs: optionally(0.08, 5_000),
    cancelAfterMs: optionally(0.4, random.pick([0, 0, 20, 300, 3_000])),
    cancelTwice: random.chance(0.3),
    readsAfterMs: [0, ...several(2, 4_000)],
    glancesAfterMs: several(2, 4_000),
    seed: random.between(0, 2 ** 31),
  };
}
