import Sqlite from 'better-sqlite3';
import type { AcceptedRecord } from '../accepted-record.ts';
import { acceptedOf, type LogRow } from './log-table.ts';

/** Rows that are read at a time: about a millisecond's work. */
const pageRows = 500;

/** Reads all rows of a log's file by a connection of its own, as they are stored now. Also for a log that no server has open. */
export function* storedRecords(file: string): Generator<readonly AcceptedRecord[]> {
  const db = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    const page = db.prepare<[number, number], LogRow>('SELECT * FROM log WHERE position > ? ORDER BY position LIMIT ?');
    for (let position = 0; ;) {
      const rows = page.all(position, pageRows);
      const last = rows.at(-1);
      if (last === undefined) return;
      position = last.position;
      yield rows.map(acceptedOf);
    }
  } finally {
    db.close();
  }
}
