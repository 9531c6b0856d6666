import type { Database } from 'better-sqlite3';
import { projections } from '../../projections/all.ts';
import type { AcceptedRecord } from '../../src/log/accepted-record.ts';
import { openProjections } from '../../src/projector/open-projections.ts';
import { Projector } from '../../src/projector/projector.ts';

export const settings = { stageTimeoutMs: 60_000 };

/** The tables of all projections in memory, and the projector that writes them. */
export function projected(
  records: readonly AcceptedRecord[] = [], batchSize = Infinity,
): { readonly db: Database; readonly projector: Projector } {
  const db = openProjections(':memory:', projections);
  const projector = new Projector(db, projections, settings);
  applyInBatches(projector, records, batchSize);
  return { db, projector };
}

/** Applies `records` in batches of `batchSize`. */
export function applyInBatches(projector: Projector, records: readonly AcceptedRecord[], batchSize: number): void {
  for (let at = 0; at < records.length; at += batchSize) projector.apply(records.slice(at, at + batchSize));
}
