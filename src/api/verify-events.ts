import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HeadQueries, HeadRow } from '../../projections/heads/queries.ts';
import type { HistoryQueries } from '../../projections/history/queries.ts';
import type { AcceptedRecord } from '../log/accepted-record.ts';
import { ChainVerifier, type ChainFault } from '../log/verify-chain.ts';
import { parseSequence } from '../log/record.ts';
import type { Fault, VerifyEventsResponse } from '../gen/lehr/v1/event_service.ts';
import type { Call } from './call.ts';

/** At most so many faults are named. */
export const faultLimit = 100;

/** Reads what is stored of one stream, or, where `subject` is empty, of all: batch by batch in the order of the log, past every cache. */
export type StoredRecords = (subject: string) => Iterable<readonly AcceptedRecord[]>;

/** What verifying works with. */
export interface VerifyDeps {
  readonly history: HistoryQueries;
  readonly heads: HeadQueries;
  readonly storedRecords: StoredRecords;
}

/**
 * Recomputes the chain from the stored bytes, and holds it against the history that was projected when the records were
 * accepted: that shows records that were cut off at the end or have changed places with another stream's. Gives the event
 * loop a turn after each batch.
 */
export async function verifyEvents(deps: VerifyDeps, subject: string, call: Call): Promise<VerifyEventsResponse> {
  const { history, heads, storedRecords } = deps;
  const verifier = new ChainVerifier();
  const faults: Fault[] = [];
  const report = (fault: ChainFault | undefined): void => {
    if (fault !== undefined && faults.length < faultLimit) faults.push(describe(fault));
  };
  let nextOffset: bigint | undefined;
  for (const batch of storedRecords(subject)) {
    call.signal.throwIfAborted();
    for (const record of batch) {
      if (nextOffset !== undefined && record.offset !== nextOffset && subject === '') {
        report({ ...placeOf(record), message: `the records at positions ${nextOffset} to ${record.offset - 1n} are missing` });
      }
      nextOffset = record.offset + 1n;
      report(verifier.check(record) ?? differs(record, history));
    }
    await nextTurn();
  }
  for (const { subject: name, revision, hash } of expectedHeads(heads, subject)) {
    const head = verifier.heads.get(name);
    if (head !== undefined && head.revision >= BigInt(revision)) continue;
    report({
      partition: 0, offset: 0n, subject: name, revision: BigInt(revision),
      message: `the stream ended with revision ${revision} (hash ${hash}), but the log holds ${head === undefined ? 'none of it' : `only ${head.revision}`}: records were cut off`,
    });
  }
  return { events: verifier.events, streams: BigInt(verifier.heads.size), faults };
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

function describe({ partition, offset, subject, revision, message }: ChainFault): Fault {
  return { position: offset === 0n ? '' : `${partition}-${offset}`, subject, revision, message };
}
