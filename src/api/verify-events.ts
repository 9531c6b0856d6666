import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HeadQueries, HeadRow } from '../../projections/heads/queries.ts';
import type { HistoryQueries } from '../../projections/history/queries.ts';
import { AcceptedRecord } from '../log/accepted-record.ts';
import { auditRecord, type AuditedRecord, type RawRecord } from '../log/kafka/audit/audit-record.ts';
import type { Position } from '../log/position.ts';
import { ChainVerifier, type ChainFault } from '../log/verify-chain.ts';
import { parseSequence } from '../log/record.ts';
import type { Fault, VerifyEventsResponse } from '../gen/lehr/v1/event_service.ts';
import type { Call } from './call.ts';

/** At most so many faults are named. */
export const faultLimit = 100;

/** A record of a log that stores accepted ones alone, without gaps; or what lies in a topic, where void ones are among them. */
export type StoredRecord = AcceptedRecord | RawRecord;

/**
 * Reads what is stored of one stream, or, where `subject` is empty, of all: batch by batch in the order of each partition, past every
 * cache, up to the end that the log has at the call or a later one. Throws `LogUnavailableError`, or the reason of `signal`.
 */
export type StoredRecords = (
  subject: string, signal: AbortSignal,
) => Iterable<readonly StoredRecord[]> | AsyncIterable<readonly StoredRecord[]>;

/** What verifying works with. */
export interface VerifyDeps {
  readonly history: HistoryQueries;
  readonly heads: HeadQueries;
  readonly storedRecords: StoredRecords;
}

/**
 * Recomputes the chain from the stored bytes, and holds it against the history that was projected when the records were
 * accepted: that shows records that were cut off at the end or have changed places with another stream's. `end`: an end of the log that
 * the projections had reached before the call; what they hold beyond it may have come since. Gives the event loop a turn after each batch.
 */
export async function verifyEvents(deps: VerifyDeps, subject: string, end: Position, call: Call): Promise<VerifyEventsResponse> {
  const { history, storedRecords } = deps;
  const verifier = new ChainVerifier();
  const faults: Fault[] = [];
  const report = (fault: Fault | undefined): void => {
    if (fault !== undefined && faults.length < faultLimit) faults.push(fault);
  };
  const gaps = new GapFinder();
  for await (const batch of storedRecords(subject, call.signal)) {
    call.signal.throwIfAborted();
    for (const stored of batch) {
      if (stored instanceof AcceptedRecord && subject === '') report(describe(gaps.before(stored)));
      const audited = stored instanceof AcceptedRecord ? checked(stored, verifier) : auditRecord(stored, verifier);
      if (audited.kind === 'event') report(describe(audited.fault ?? differs(audited.record, history)));
      else if (audited.kind === 'fault') report(describe(audited.fault));
    }
    await nextTurn();
  }
  for (const fault of cutStreams(deps, subject, end, verifier)) report(fault);
  return { events: verifier.events, streams: verifier.streams, faults };
}

function checked(record: AcceptedRecord, verifier: ChainVerifier): AuditedRecord {
  return { kind: 'event', record, fault: verifier.check(record) };
}

/** Finds positions that are missing in a log that has none without a record. */
class GapFinder {
  #next: bigint | undefined;

  before(record: AcceptedRecord): ChainFault | undefined {
    const next = this.#next;
    this.#next = record.offset + 1n;
    if (next === undefined || record.offset === next) return undefined;
    return { ...placeOf(record), message: `the records at positions ${next} to ${record.offset - 1n} are missing` };
  }
}

/** Streams of which the log holds less than the projections know. */
function* cutStreams({ heads, history }: VerifyDeps, subject: string, end: Position, verifier: ChainVerifier): Generator<Fault> {
  for (const { subject: name, revision, hash } of expectedHeads(heads, subject)) {
    const reach = verifier.reach(name);
    if (reach >= BigInt(revision)) continue;
    const [missing] = history.streamAfter(name, Number(reach), 1);
    if (missing !== undefined && BigInt(missing.offset) > (end.get(missing.partition) ?? -1n)) continue;
    yield {
      position: '', subject: name, revision: BigInt(revision),
      message: `the stream ended with revision ${revision} (hash ${hash}), but the log holds ${reach === 0n ? 'none of it' : `only ${reach}`}: records were cut off`,
    };
  }
}

function expectedHeads(heads: HeadQueries, subject: string): Iterable<HeadRow> {
  if (subject === '') return heads.all();
  const head = heads.get(subject);
  return head === undefined ? [] : [head];
}

/** The same record in the history, or a fault that says what is different. */
function differs(record: AcceptedRecord, history: HistoryQueries): ChainFault | undefined {
  const place = placeOf(record);
  const [row] = history.streamAfter(place.subject, Number(place.revision) - 1, 1);
  if (row === undefined || BigInt(row.revision) !== place.revision) return undefined;
  if (row.hash !== record.hash) return { ...place, message: `when it was accepted this record had the hash ${row.hash}: it was replaced` };
  if (BigInt(row.offset) !== record.offset) return { ...place, message: `when it was accepted this record was at position ${row.offset}: it was moved` };
  return undefined;
}

function placeOf({ record: { headers }, partition, offset }: AcceptedRecord): Omit<ChainFault, 'message'> {
  return { partition, offset, subject: headers.ce_subject, revision: parseSequence(headers.ce_sequence) ?? 0n };
}

function describe(fault: ChainFault | undefined): Fault | undefined {
  if (fault === undefined) return undefined;
  const { partition, offset, subject, revision, message } = fault;
  return { position: `${partition}-${offset}`, subject, revision, message };
}
