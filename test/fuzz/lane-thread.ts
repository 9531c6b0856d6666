/** A thread that runs rounds: whatever a hostile image does to it, the command goes on. */
import { parentPort, workerData } from 'node:worker_threads';

import type { LaneData, LaneReply, LaneRequest, RoundReport } from './messages.ts';
import { outcomeOf, Rounds } from './round.ts';

const data = workerData as LaneData;
const rounds = new Rounds(data);

function run({ from, count, keepsBytes }: LaneRequest): LaneReply {
  const told: RoundReport[] = [];
  const counts = new Map<string, number>();
  for (let seed = from; seed < from + count; seed += 1) {
    Atomics.store(data.atSeed, 0, seed);
    const { bytes, ...round } = rounds.run(seed);
    const key = `${round.format} ${outcomeOf(round.verdict)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (keepsBytes || round.faults.length > 0) told.push({ ...round, bytes });
  }
  const outcomes = [...counts].map(([key, occurrences]) => {
    const [format = '', ...outcome] = key.split(' ');
    return { format: format as LaneReply['outcomes'][number]['format'], outcome: outcome.join(' '), count: occurrences };
  });
  return { rounds: told, outcomes };
}

parentPort?.on('message', (request: LaneRequest) => parentPort?.postMessage(run(request)));
