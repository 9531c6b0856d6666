import { Lane } from './lane.ts';
import type { LaneReply, OutcomeCount, RoundReport } from './messages.ts';
import type { RoundSettings } from './round.ts';

/** Which seeds are run, and by how many threads at once. */
export interface CampaignPlan {
  readonly from: number;
  /** How many seeds; Infinity: until `signal` aborts. */
  readonly rounds: number;
  readonly lanes: number;
  readonly roundsPerRequest: number;
  readonly signal: AbortSignal;
}

/** What came of all seeds that were run. */
export interface CampaignResult {
  readonly rounds: number;
  /** Rounds in which an inspector did what it may never do. */
  readonly broken: readonly RoundReport[];
  readonly outcomes: readonly OutcomeCount[];
}

/**
 * Runs seeds until there are enough or the signal aborts; requests under way are finished. `onRound` is given each round with
 * its image, one after the other in each lane; without it images are kept only of rounds in which something broke.
 */
export async function runCampaign(
  settings: RoundSettings,
  { from, rounds, lanes, roundsPerRequest, signal }: CampaignPlan,
  onRound?: (round: RoundReport, lane: number) => Promise<void>,
): Promise<CampaignResult> {
  let next = from;
  let done = 0;
  const broken: RoundReport[] = [];
  const outcomes = new Map<string, OutcomeCount>();
  const take = ({ outcomes: counted }: LaneReply): void => {
    for (const { format, outcome, count } of counted) {
      const key = `${format} ${outcome}`;
      outcomes.set(key, { format, outcome, count: count + (outcomes.get(key)?.count ?? 0) });
    }
  };
  const isOver = (): boolean => signal.aborted;
  const work = async (index: number): Promise<void> => {
    const lane = new Lane(settings);
    try {
      while (!isOver() && next < from + rounds) {
        const count = Math.min(roundsPerRequest, from + rounds - next);
        const request = { from: next, count, keepsBytes: onRound !== undefined };
        next += count;
        const reply = await lane.run(request);
        done += count;
        take(reply);
        broken.push(...reply.rounds.filter(({ faults }) => faults.length > 0));
        for (const round of reply.rounds) if (!isOver()) await onRound?.(round, index);
      }
    } finally {
      await lane.close();
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, index) => work(index)));
  return { rounds: done, broken, outcomes: [...outcomes.values()] };
}
