import type { Database } from 'better-sqlite3';

/** A record as the history keeps it. */
export interface HistoryRow {
  readonly subject: string;
  readonly revision: number;
  readonly partition: number;
  readonly offset: number;
  readonly canonical: Buffer;
  readonly hash: string;
}

/** Reads the history. */
export interface HistoryQueries {
  /** At most `limit` records of a stream after `revision`, in order. */
  streamAfter(subject: string, revision: number, limit: number): HistoryRow[];
  /** All records of a stream, in order. A stream is bounded by the attempts that a task may need. */
  stream(subject: string): HistoryRow[];
}

export function historyQueries(db: Database): HistoryQueries {
  const after = db.prepare<[string, number, number], HistoryRow>(
    'SELECT * FROM history WHERE subject = ? AND revision > ? ORDER BY revision LIMIT ?',
  );
  const all = db.prepare<[string], HistoryRow>('SELECT * FROM history WHERE subject = ? ORDER BY revision');
  return {
    streamAfter: (subject, revision, limit) => after.all(subject, revision, limit),
    stream: (subject) => all.all(subject),
  };
}
