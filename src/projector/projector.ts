import type { Database } from 'better-sqlite3';
import { historyQueries, type HistoryQueries } from '../../projections/history/queries.ts';
import { evolveStream } from '../domain/fold.ts';
import { openRecord } from '../log/envelope.ts';
import type { AcceptedRecord } from '../log/accepted-record.ts';
import { parseSequence } from '../log/record.ts';
import { foldStream, type FoldedStream } from './fold-stream.ts';
import type { ProjectedBatch, Projection, ProjectionSettings, StreamChange } from './projection.ts';

/** Once so many folds are in memory all are forgotten; streams are then folded again from the history as they change. */
const foldedStreamLimit = 2_000;

/** The last record that was applied in a partition. */
export interface AppliedPlace {
  readonly partition: number;
  readonly offset: number;
  readonly hash: string;
}

/**
 * Applies accepted records to all projections, in the thread that owns the database. Each batch is one transaction, with
 * the place of its last record in it, so that a batch that comes twice changes nothing and a crash loses none.
 */
export class Projector {
  readonly #folded = new Map<string, FoldedStream>();
  readonly #history: HistoryQueries;
  readonly #appliers: readonly ((batch: ProjectedBatch) => void)[];
  readonly #apply: (records: readonly AcceptedRecord[]) => void;
  readonly #places: Map<number, AppliedPlace>;
  /** Records of types that this version does not know, since it started. */
  unknownTypes = 0;

  /** `db` has the tables already (see `open-projections.ts`). */
  constructor(db: Database, projections: readonly Projection[], settings: ProjectionSettings) {
    this.#history = historyQueries(db);
    this.#appliers = projections.map((projection) => projection.prepare(db, settings));
    const upsertPlace = db.prepare('INSERT OR REPLACE INTO applied_places VALUES (?, ?, ?)');
    this.#places = new Map(db.prepare<[], AppliedPlace>('SELECT * FROM applied_places').all().map((place) => [place.partition, place]));
    this.#apply = db.transaction((records: readonly AcceptedRecord[]) => {
      const batch = this.#fold(records);
      for (const apply of this.#appliers) apply(batch);
      const last = new Map<number, AppliedPlace>();
      for (const { partition, offset, hash } of records) last.set(partition, { partition, offset: Number(offset), hash });
      for (const { partition, offset, hash } of last.values()) upsertPlace.run(partition, offset, hash);
    });
  }

  /** The last record that was applied in each partition. */
  get places(): ReadonlyMap<number, AppliedPlace> {
    return this.#places;
  }

  /** Applies records that were accepted, in the order of each partition; those that were applied before are passed over. */
  apply(records: readonly AcceptedRecord[]): void {
    const fresh = records.filter(({ partition, offset }) => offset > BigInt(this.#places.get(partition)?.offset ?? -1));
    if (fresh.length === 0) return;
    try {
      this.#apply(fresh);
    } catch (cause) {
      // The transaction was rolled back, the folds in memory were not.
      this.#folded.clear();
      throw cause;
    }
    for (const { partition, offset, hash } of fresh) this.#places.set(partition, { partition, offset: Number(offset), hash });
  }

  #fold(records: readonly AcceptedRecord[]): ProjectedBatch {
    // Never within a batch: what it has folded so far is not in the history yet.
    if (this.#folded.size >= foldedStreamLimit) this.#folded.clear();
    const changes = new Map<string, StreamChange>();
    for (const { record, hash, partition, offset } of records) {
      const { ce_subject: subject, ce_owner: owner } = record.headers;
      const revision = parseSequence(record.headers.ce_sequence) ?? 0n;
      const before = this.#foldOf(subject, revision);
      const event = openRecord(record);
      if (event === undefined) this.unknownTypes += 1;
      const stream = before.stream === undefined || event === undefined ? before.stream : evolveStream(before.stream, event);
      const head = { revision, hash };
      this.#folded.set(subject, { stream, head });
      changes.set(subject, { subject, owner, head, partition, offset: Number(offset), stream });
    }
    return { records, changes: [...changes.values()] };
  }

  #foldOf(subject: string, revision: bigint): FoldedStream {
    return this.#folded.get(subject) ?? foldStream(subject, revision === 1n ? [] : this.#history.stream(subject));
  }
}
