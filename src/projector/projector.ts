import type { Database } from 'better-sqlite3';
import type { AcceptedRecord, RecordPlace } from '../log/accepted-record.ts';
import { BatchFold } from './batch-fold.ts';
import type { Projection, ProjectionSettings } from './projection.ts';
import { StreamFolds, type FoldedBatch } from './stream-folds.ts';

/** The last record that was applied in a partition. */
export interface AppliedPlace {
  readonly partition: number;
  readonly offset: number;
  readonly hash: string;
}

/**
 * Applies records to all projections, in the thread that owns the database. Each batch is one transaction, with the place
 * of its last record in it, so that a batch that comes twice changes nothing and a crash loses none.
 */
export class Projector {
  readonly #db: Database;
  readonly #folds: StreamFolds;
  #places: Map<number, AppliedPlace>;
  readonly #write: (batch: BatchFold, fold: (batch: BatchFold) => Iterable<RecordPlace>) => { folded: FoldedBatch; read: AppliedPlace[] };
  #unknownTypes = 0;

  /** `db` has the tables already (see `open-projections.ts`). */
  constructor(db: Database, projections: readonly Projection[], settings: ProjectionSettings) {
    this.#db = db;
    this.#folds = new StreamFolds(db);
    this.#places = storedPlaces(db);
    const appliers = projections.map((projection) => projection.prepare(db, settings));
    const upsertPlace = db.prepare('INSERT OR REPLACE INTO applied_places VALUES (?, ?, ?)');
    this.#write = db.transaction((batch: BatchFold, fold: (batch: BatchFold) => Iterable<RecordPlace>) => {
      const read = Array.from(fold(batch), ({ partition, offset, hash }) => ({ partition, offset: Number(offset), hash }));
      const folded = batch.folded();
      for (const apply of appliers) apply(folded);
      for (const { partition, offset, hash } of read) upsertPlace.run(partition, offset, hash);
      return { folded, read };
    });
  }

  /** The last record that was applied in each partition. */
  get places(): ReadonlyMap<number, AppliedPlace> {
    return this.#places;
  }

  /** Records of types that this version does not know, since it started. */
  get unknownTypes(): number {
    return this.#unknownTypes;
  }

  /** Applies records that were accepted, in the order of each partition; those that were applied before are passed over. */
  apply(records: readonly AcceptedRecord[]): void {
    const fresh = records.filter(({ partition, offset }) => offset > BigInt(this.#places.get(partition)?.offset ?? -1));
    if (fresh.length === 0) return;
    this.commit((batch) => {
      for (const record of fresh) batch.take(record);
      return new Map(fresh.map((record) => [record.partition, record])).values();
    });
  }

  /**
   * Writes what `fold` makes of a batch, in one transaction with the records that it returns: the last ones that were read
   * in the partitions of the batch. Returns their places. Throws where nothing was written; then the batch may come again.
   */
  commit(fold: (batch: BatchFold) => Iterable<RecordPlace>): readonly AppliedPlace[] {
    const batch = new BatchFold(this.#folds);
    const { folded, read } = this.#write(batch, fold);
    this.#folds.keep(folded.changes);
    this.#unknownTypes += batch.unknownTypes;
    for (const place of read) this.#places.set(place.partition, place);
    return read;
  }

  /** Runs several commits in one transaction: where one throws, or `work` does, none of them has happened. */
  inOne<T>(work: () => T): T {
    const unknownTypes = this.#unknownTypes;
    try {
      return this.#db.transaction(work)();
    } catch (cause) {
      this.#folds.forget();
      this.#places = storedPlaces(this.#db);
      this.#unknownTypes = unknownTypes;
      throw cause;
    }
  }
}

function storedPlaces(db: Database): Map<number, AppliedPlace> {
  return new Map(db.prepare<[], AppliedPlace>('SELECT * FROM applied_places').all().map((place) => [place.partition, place]));
}
