import type { Api } from '../../acceptance/harness/api.ts';
import { insist } from './insist.ts';

/** By stream, in order of name, the hashes of its events as a node tells them; throws where an event does not follow the one before. */
export async function linkedChains(api: Api): Promise<ReadonlyMap<string, readonly string[]>> {
  return insist(async () => {
    const chains = new Map<string, string[]>();
    for await (const { event } of api.streamEvents({})) {
      const { subject, revision, predecessorHash, hash } = event!;
      const chain = chains.get(subject) ?? [];
      if (revision !== BigInt(chain.length + 1) || predecessorHash !== (chain.at(-1) ?? '0'.repeat(64))) {
        throw new Error(`revision ${revision} of ${subject} does not follow ${chain.length} events`);
      }
      chains.set(subject, [...chain, hash]);
    }
    return new Map([...chains].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
