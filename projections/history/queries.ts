import type { Database } from 'better-sqlite3';
import type { Position } from '../../src/log/position.ts';
import { endOfPartition, endOfPlaces, offsetOfPlace, partitionOfPlace, placeAfter, placeOf } from './place.ts';

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
  /** At most `limit` records after `from`, partition by partition, those of each in order. */
  acceptedAfter(from: Position, limit: number): HistoryRow[];
  /** The last record in each partition. */
  lastAccepted(): Position;
}

interface StoredRow {
  readonly place: number;
  readonly subject: string;
  readonly revision: number;
  readonly canonical: Buffer;
  readonly hash: string;
}

export function historyQueries(db: Database): HistoryQueries {
  const after = db.prepare<[string, number, number], StoredRow>(
    'SELECT * FROM history WHERE subject = ? AND revision > ? ORDER BY revision LIMIT ?',
  );
  const all = db.prepare<[string], StoredRow>('SELECT * FROM history WHERE subject = ? ORDER BY revision');
  const between = db.prepare<[number, number, number], StoredRow>(
    'SELECT * FROM history WHERE place >= ? AND place < ? ORDER BY place LIMIT ?',
  );
  const firstFrom = db.prepare<[number], number>('SELECT place FROM history WHERE place >= ? ORDER BY place LIMIT 1').pluck();
  const lastBefore = db.prepare<[number], number>('SELECT place FROM history WHERE place < ? ORDER BY place DESC LIMIT 1').pluck();
  return {
    streamAfter: (subject, revision, limit) => after.all(subject, revision, limit).map(rowOf),
    stream: (subject) => all.all(subject).map(rowOf),
    acceptedAfter(from, limit) {
      const rows: HistoryRow[] = [];
      // From one partition that has records to the next.
      for (let next = firstFrom.get(0); next !== undefined && rows.length < limit;) {
        const partition = partitionOfPlace(next);
        const start = placeAfter(partition, from.get(partition) ?? -1n);
        const end = endOfPartition(partition);
        for (const row of between.all(start, end, limit - rows.length)) rows.push(rowOf(row));
        next = firstFrom.get(end);
      }
      return rows;
    },
    lastAccepted() {
      const position = new Map<number, bigint>();
      for (let last = lastBefore.get(endOfPlaces); last !== undefined;) {
        const partition = partitionOfPlace(last);
        position.set(partition, BigInt(offsetOfPlace(last)));
        last = lastBefore.get(placeOf(partition, 0));
      }
      return position;
    },
  };
}

function rowOf({ place, subject, revision, canonical, hash }: StoredRow): HistoryRow {
  return { subject, revision, partition: partitionOfPlace(place), offset: offsetOfPlace(place), canonical, hash };
}
