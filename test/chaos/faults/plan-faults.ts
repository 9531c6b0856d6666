import type { Random } from '../../simulation/random.ts';
import type { Harm } from './victim.ts';

/** Every fault heals after so long at the latest. */
export const longestFaultMs = 30_000;

/** Faults of one kind of victim: at most one at a time. */
export interface Lane {
  readonly name: string;
  /** Who may be hit; a name that stands there twice is hit twice as often. */
  readonly victims: readonly LaneVictim[];
  /** Between the end of one fault and the beginning of the next lies a time between these. */
  readonly shortestGapMs: number;
  readonly longestGapMs: number;
}

/** A victim of a lane, and what may be done to it. */
export interface LaneVictim {
  readonly name: string;
  readonly harms: readonly Harm[];
}

/** One fault: when the gap since the last one of its lane is over, the victim is struck, and healed so long after. */
export interface PlannedFault {
  readonly gapMs: number;
  readonly victim: string;
  readonly harm: Harm;
  readonly lastsMs: number;
}

const spans: Readonly<Record<Harm, readonly [shortestMs: number, longestMs: number]>> = {
  kill: [200, 8_000],
  stop: [200, 4_000],
  pause: [3_000, longestFaultMs],
  empty: [0, 0],
  cut: [500, 15_000],
  hang: [3_000, 25_000],
};

/**
 * Draws the faults of one lane for `durationMs`, none longer than `longestMs` and none that ends later. Half of the long ones are
 * drawn from the shorter half of their span, so that a run sees both what passes unnoticed and what is noticed.
 */
export function planFaults(random: Random, lane: Lane, durationMs: number, longestMs: number = longestFaultMs): readonly PlannedFault[] {
  const faults: PlannedFault[] = [];
  for (let nowMs = 0; ;) {
    const gapMs = random.between(lane.shortestGapMs, lane.longestGapMs);
    const { name, harms } = random.pick(lane.victims);
    const harm = random.pick(harms);
    const [shortestMs, most] = spans[harm];
    const capMs = Math.max(shortestMs, Math.min(most, longestMs));
    const lastsMs = random.between(shortestMs, random.chance(0.5) ? capMs : (shortestMs + capMs) / 2);
    nowMs += gapMs + lastsMs;
    if (nowMs > durationMs) return faults;
    faults.push({ gapMs, victim: name, harm, lastsMs });
  }
}
