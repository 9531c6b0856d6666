import type { Database } from 'better-sqlite3';

/** The head of a stream and whose it is. */
export interface HeadRow {
  readonly subject: string;
  readonly owner: string;
  readonly revision: number;
  readonly hash: string;
}

/** Reads the heads. */
export interface HeadQueries {
  /** The head of a stream; undefined where there is no such stream. */
  get(subject: string): HeadRow | undefined;
  /** All of them, by subject. */
  all(): IterableIterator<HeadRow>;
}

export function headQueries(db: Database): HeadQueries {
  const get = db.prepare<[string], HeadRow>('SELECT * FROM heads WHERE subject = ?');
  const all = db.prepare<[], HeadRow>('SELECT * FROM heads ORDER BY subject');
  return { get: (subject) => get.get(subject), all: () => all.iterate() };
}
