import type { Head } from '../../head.ts';
import { ChainVerifier, type ChainFault } from '../../verify-chain.ts';
import { auditRecord, type RawRecord } from './audit-record.ts';

/** At most so many faults are named. */
export const namedFaultLimit = 100;

/** What an audit of the topic has found. */
export interface TopicAudit {
  readonly events: bigint;
  readonly streams: bigint;
  /** Records that are void: races that were lost, and copies. */
  readonly voids: bigint;
  /** Messages that every node was told to pass over. */
  readonly skipped: bigint;
  /** The first ones, in the order in which they were found. */
  readonly faults: readonly ChainFault[];
  readonly faultCount: bigint;
  /** The last record of each stream that the rule accepted. */
  readonly heads: ReadonlyMap<string, Head>;
}

/** Audits what lies in the topic by itself: there is nothing to hold it against, so that a missing end is not seen. */
export async function auditTopic(stored: AsyncIterable<readonly RawRecord[]>): Promise<TopicAudit> {
  const verifier = new ChainVerifier();
  const faults: ChainFault[] = [];
  let faultCount = 0n;
  let skipped = 0n;
  for await (const batch of stored) {
    for (const raw of batch) {
      const audited = auditRecord(raw, verifier);
      if (audited.kind === 'skipped') skipped += 1n;
      if (audited.kind === 'void' || audited.kind === 'skipped' || audited.fault === undefined) continue;
      faultCount += 1n;
      if (faults.length < namedFaultLimit) faults.push(audited.fault);
    }
  }
  return { events: verifier.events, streams: verifier.streams, voids: verifier.voids, skipped, faults, faultCount, heads: verifier.heads };
}
