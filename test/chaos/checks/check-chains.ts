import type { Event } from '../../../src/gen/lehr/v1/event.ts';
import type { Ledger } from '../ledger.ts';
import { describeEvents } from './describe-events.ts';
import type { ReadLog } from './read-log.ts';

const noHash = '0'.repeat(64);

/** In each stream the revisions are 1, 2, 3 … and each event names the hash of the one before it. */
export function checkChains(ledger: Ledger, log: ReadLog): void {
  for (const [subject, events] of log) {
    const broken = events.find((event, index) => !follows(events[index - 1], event));
    if (broken !== undefined) ledger.violate('each event names the one before it', `${subject} at revision ${broken.revision}`, describeEvents(events));
  }
}

function follows(before: Event | undefined, event: Event): boolean {
  return event.revision === (before?.revision ?? 0n) + 1n && event.predecessorHash === (before?.hash ?? noHash);
}

/** Two nodes tell the same events in the same order per stream. */
export function checkSameEvents(ledger: Ledger, one: string, log: ReadLog, other: string, otherLog: ReadLog): void {
  for (const subject of new Set([...log.keys(), ...otherLog.keys()])) {
    const [events, others] = [log.get(subject) ?? [], otherLog.get(subject) ?? []];
    const [hashes, otherHashes] = [events, others].map((each) => each.map(({ hash }) => hash).join());
    if (hashes === otherHashes) continue;
    ledger.violate('every node tells the same events in the same order per stream', `${subject} on ${one} and ${other}`, [
      `${one}:`, ...describeEvents(events), `${other}:`, ...describeEvents(others),
    ]);
  }
}
