import Sqlite from 'better-sqlite3';
import type { AcceptedRecord } from '../accepted-record.ts';
import { acceptedOf, type LogRow } from './log-table.ts';

/** Rows that are read at a time: about a millisecond's work. */
const pageRows = 500;

/**
 * Reads the rows of a log's file by a connection of its own, as they are stored now: all, or those of one stream. Also for
 * a log that no server has open.
 */
export function* storedRecords(file: string, subject = ''): Generator<readonly AcceptedRecord[]> {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    const all = db.prepare<[number, number], LogRow>('SELECT * FROM log WHERE position > ? ORDER BY position LIMIT ?');
    const one = db.prepare<[string, number, number], LogRow>(
      'SELECT * FROM log WHERE ce_subject = ? AND +position > ? ORDER BY position LIMIT ?',
    );
    for (let position = 0; ;) {
      const rows = subject === '' ? all.all(position, pageRows) : one.all(subject, position, pageRows);
      const last = rows.at(-1);
      if (last === undefined) return;
      position = last.position;
      yield rows.map(acceptedOf);
    }
  } finally {
    db.close();
  }
}
