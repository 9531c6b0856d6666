import type { Head } from '../../../../src/log/head.ts';
import { TaskChain } from '../../../contract/task-chain.ts';

/** Records in the order in which they reach the topic, and what whoever reads it must find. */
export interface Story {
  readonly records: readonly Buffer[];
  readonly events: bigint;
  readonly streams: bigint;
  readonly voids: bigint;
  /** By subject. */
  readonly heads: ReadonlyMap<string, Head>;
}

/**
 * What honest nodes leave behind: streams that grow side by side, races that were lost, right behind the winner and later, and copies
 * that a client library has sent again.
 */
export function honestStory({ streams = 5, revisions = 6, paddingBytes = 0 } = {}): Story {
  const chains = Array.from({ length: streams }, () => new TaskChain({ paddingBytes }));
  const records: Buffer[] = [];
  const late: Buffer[] = [];
  let voids = 0n;
  for (let revision = 1; revision <= revisions; revision += 1) {
    chains.forEach((chain, index) => {
      const winner = chain.candidate();
      const loser = chain.candidate();
      chain.advance(winner);
      records.push(winner);
      if ((index + revision) % 2 === 0) records.push(loser);
      if ((index + revision) % 3 === 0) records.push(winner);
      if ((index + revision) % 4 === 0) late.push(loser, winner);
      voids += BigInt([2, 3].filter((step) => (index + revision) % step === 0).length);
    });
  }
  return {
    records: [...records, ...late],
    events: BigInt(streams * revisions),
    streams: BigInt(streams),
    voids: voids + BigInt(late.length),
    heads: headsOf(chains),
  };
}

/** The heads of some chains, by subject. */
export function headsOf(chains: readonly TaskChain[]): ReadonlyMap<string, Head> {
  return new Map(chains.map(({ subject, head }) => [subject, head] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
