import type { Database } from 'better-sqlite3';
import { headQueries, type HeadQueries } from '../../projections/heads/queries.ts';
import { historyQueries, type HistoryQueries } from '../../projections/history/queries.ts';
import { emptyHead, type Head } from '../log/head.ts';
import { BoundedCache } from './bounded-cache.ts';
import { foldStream, type FoldedStream } from './fold-stream.ts';
import type { ProjectedBatch, StreamChange } from './projection.ts';

/** What a batch made of one stream, and its fold. */
export type FoldedChange = StreamChange & FoldedStream;

/** What a batch made of the streams, for the projections and for the batches that follow. */
export interface FoldedBatch extends ProjectedBatch {
  readonly changes: readonly FoldedChange[];
}

/** Streams whose fold is kept in memory, those that changed last; others are folded again from the history when they change. */
const keptLimit = 2_000;

/** The streams as the tables hold them, in the thread that writes these. */
export class StreamFolds {
  readonly #history: HistoryQueries;
  readonly #heads: HeadQueries;
  readonly #kept = new BoundedCache<string, FoldedChange>(keptLimit);

  constructor(db: Database) {
    this.#history = historyQueries(db);
    this.#heads = headQueries(db);
  }

  /** The fold that is in memory. */
  kept(subject: string): FoldedChange | undefined {
    return this.#kept.get(subject);
  }

  /** The head that the tables hold. */
  storedHead(subject: string): Head {
    const row = this.#heads.get(subject);
    return row === undefined ? emptyHead : { revision: BigInt(row.revision), hash: row.hash };
  }

  /** The fold of the history; `isNew`: it is known that there is none. */
  fold(subject: string, isNew: boolean): FoldedStream {
    return foldStream(subject, isNew ? [] : this.#history.stream(subject));
  }

  /** Keeps what a batch made of the streams, once the tables hold it. */
  keep(changes: readonly FoldedChange[]): void {
    for (const change of changes) this.#kept.set(change.subject, change);
  }

  /** Keeps nothing: what was kept is not what the tables hold. */
  forget(): void {
    this.#kept.clear();
  }
}
