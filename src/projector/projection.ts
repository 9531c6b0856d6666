import type { Database } from 'better-sqlite3';
import type { Head } from '../log/head.ts';
import type { ImageState } from '../domain/image/image.ts';
import type { TaskState } from '../domain/task/task-state.ts';

/** What a batch made of one stream: where it stands after the batch's last record of it. */
export interface StreamChange {
  readonly subject: string;
  readonly owner: string;
  readonly head: Head;
  /** Place of the stream's last record. */
  readonly partition: number;
  readonly offset: number;
  /** The fold of the whole stream; undefined where the subject is none that this version knows. */
  readonly stream: { readonly kind: 'task'; readonly state: TaskState } | { readonly kind: 'image'; readonly state: ImageState } | undefined;
}

/** A record of a batch: no more of it than projections need, since a batch holds thousands. */
export interface ProjectedRecord {
  readonly subject: string;
  readonly revision: number;
  readonly partition: number;
  readonly offset: number;
  readonly canonical: Uint8Array;
  readonly hash: string;
}

/** A batch, record by record and stream by stream. */
export interface ProjectedBatch {
  readonly records: readonly ProjectedRecord[];
  readonly changes: readonly StreamChange[];
}

/**
 * One read model: tables of its own and a function that folds batches into them. Disposable: a changed schema or meaning
 * takes a higher `version`, and the tables are built anew from the log.
 */
export interface Projection {
  readonly name: string;
  readonly version: number;
  /** Creates the tables and indexes. */
  readonly schema: string;
  /** Prepares the statements once; the function that it returns runs inside the projector's transaction and has no side effects. */
  prepare(db: Database, settings: ProjectionSettings): (batch: ProjectedBatch) => void;
}

/** What projections need to know of the configuration. */
export interface ProjectionSettings {
  readonly stageTimeoutMs: number;
}
