import { AcceptedRecord } from '../../accepted-record.ts';
import { openRecord } from '../../envelope.ts';
import { parseSequence } from '../../record.ts';
import type { ChainFault, ChainVerifier } from '../../verify-chain.ts';
import type { ReadRecord } from '../judge.ts';

/**
 * What lies at one place of the topic, not judged yet. `record`: also one that is foreign to its partition. `skipped`: every node was
 * told to pass over it. `unreadable`: no record. `cut`: what lay before this place was removed.
 */
export type RawRecord =
  | { readonly kind: 'record'; readonly record: ReadRecord; readonly subject: string }
  | { readonly kind: 'skipped'; readonly partition: number; readonly offset: bigint }
  | { readonly kind: 'unreadable'; readonly partition: number; readonly offset: bigint; readonly problem: string }
  | { readonly kind: 'cut'; readonly partition: number; readonly offset: bigint };

/** What it turned out to be. An event may have a fault too. */
export type AuditedRecord =
  | { readonly kind: 'event'; readonly record: AcceptedRecord; readonly fault: ChainFault | undefined }
  | { readonly kind: 'void' }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'fault'; readonly fault: ChainFault };

/**
 * Judges what comes next in a partition of the topic, as every replica does from the beginning of the log, and says what is not
 * as the service writes it: it writes nothing but records, each in the partition of its stream, after the one that it follows, with
 * a value that decodes.
 */
export function auditRecord(raw: RawRecord, verifier: ChainVerifier): AuditedRecord {
  switch (raw.kind) {
    case 'record':
      return auditRead(raw.record, verifier);
    case 'skipped':
      return { kind: 'skipped' };
    case 'unreadable':
      return { kind: 'fault', fault: faultAt(raw, `the message here is no record: ${raw.problem}`) };
    case 'cut':
      return { kind: 'fault', fault: faultAt(raw, `partition ${raw.partition} begins here: the ${raw.offset} messages before were removed`) };
    default:
      return raw satisfies never;
  }
}

function auditRead({ canonical, partition, offset, isForeign }: ReadRecord, verifier: ChainVerifier): AuditedRecord {
  const record = AcceptedRecord.fromCanonical(canonical, { partition, offset });
  if (isForeign === true) return { kind: 'fault', fault: faultOf(record, 'the record lies in another partition than its stream, where no node takes it') };
  const verdict = verifier.judge(record);
  switch (verdict.kind) {
    case 'event':
      return { kind: 'event', record, fault: faultOfValue(record) };
    case 'void':
      return verdict;
    case 'fault':
      return { kind: 'event', record, fault: verdict.fault };
    default:
      return verdict satisfies never;
  }
}

function faultOfValue(record: AcceptedRecord): ChainFault | undefined {
  try {
    openRecord(record.record);
    return undefined;
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    return faultOf(record, `its value is no ${record.record.headers.ce_type}, so that no node goes on after it: ${problem}`);
  }
}

function faultOf(record: AcceptedRecord, message: string): ChainFault {
  const { ce_subject: subject, ce_sequence: sequence } = record.record.headers;
  return { partition: record.partition, offset: record.offset, subject, revision: parseSequence(sequence) ?? 0n, message };
}

function faultAt({ partition, offset }: { readonly partition: number; readonly offset: bigint }, message: string): ChainFault {
  return { partition, offset, subject: '', revision: 0n, message };
}
