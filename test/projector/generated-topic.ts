import { AcceptedRecord } from '../../src/log/accepted-record.ts';
import { decodeCanonical, encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import type { ReadRecord } from '../../src/log/kafka/judge.ts';
import { generatedLog } from '../projections/generated-log.ts';
import { Random } from '../simulation/random.ts';

/** What lies in a topic, and what the rule makes of it. */
export interface GeneratedTopic {
  /** The records of each partition, in order; offsets leave gaps. */
  readonly partitions: readonly (readonly ReadRecord[])[];
  /** The accepted ones, in an order in which they may have come about. */
  readonly accepted: readonly AcceptedRecord[];
}

/**
 * A topic with about `size` accepted records, and between them whatever else may lie there: copies at once and late, losers of
 * races, records that follow losers, foreign ones. The same for the same seed.
 */
export function generatedTopic(size: number, partitionCount: number, seed = 1): GeneratedTopic {
  const random = new Random(seed);
  const partitions: ReadRecord[][] = Array.from({ length: partitionCount }, () => []);
  const accepted: AcceptedRecord[] = [];
  const put = (partition: number, canonical: Uint8Array, isForeign?: true): ReadRecord => {
    const records = partitions[partition]!;
    const offset = (records.at(-1)?.offset ?? -1n) + 1n + BigInt(random.chance(0.1) ? random.between(1, 3) : 0);
    const record = { partition, offset, canonical, ...(isForeign === true ? { isForeign } : {}) };
    records.push(record);
    return record;
  };
  for (const { canonical } of generatedLog(size, seed)) {
    // A task and its image, whose ids are the same, share a partition.
    const partition = Number(decodeCanonical(canonical).headers.ce_subject.slice(-3)) % partitionCount;
    if (random.chance(0.02)) put(partition, canonical, true);
    if (random.chance(0.02)) put(random.between(0, partitionCount - 1), Buffer.from(`none, ${random.between(0, 9)}`), true);
    const { offset } = put(partition, canonical);
    accepted.push(AcceptedRecord.fromCanonical(canonical, { partition, offset }));
    if (random.chance(0.05)) put(partition, canonical);
    if (random.chance(0.05)) {
      const loser = rivalOf(canonical, `rival ${random.between(0, 1e6)}`);
      put(partition, loser);
      if (random.chance(0.5)) put(partition, followerOf(loser));
    }
    const late = random.pick(accepted);
    if (random.chance(0.05)) put(late.partition, late.canonical);
  }
  return { partitions, accepted };
}

/** Another record for the same revision. */
function rivalOf(canonical: Uint8Array, id: string): Buffer {
  const { headers, value } = decodeCanonical(canonical);
  return encodeCanonical({ headers: { ...headers, ce_id: id }, value });
}

/** A record that would fit were `canonical` accepted. */
function followerOf(canonical: Uint8Array): Buffer {
  const { headers, value } = decodeCanonical(canonical);
  const sequence = String(Number(headers.ce_sequence) + 1).padStart(20, '0');
  return encodeCanonical({ headers: { ...headers, ce_sequence: sequence, ce_predecessorhash: hashCanonical(canonical) }, value });
}

/** All records of a topic as one reader may come by them: partitions in any interleaving, in runs, each in its order. */
export function interleaved({ partitions }: GeneratedTopic, random: Random): ReadRecord[] {
  const next = partitions.map(() => 0);
  const records: ReadRecord[] = [];
  for (;;) {
    const left = partitions.flatMap((partition, index) => (next[index]! < partition.length ? [index] : []));
    if (left.length === 0) return records;
    const index = random.pick(left);
    const run = partitions[index]!.slice(next[index], next[index]! + random.between(1, random.chance(0.1) ? 500 : 20));
    next[index]! += run.length;
    records.push(...run);
  }
}
