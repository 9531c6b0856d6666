import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';

/** SHA-256 over all rows of each table of the projections, by the table's name. */
export function tableDigests(db: Database): Record<string, string> {
  const names = db.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).pluck().all();
  return Object.fromEntries(names.map((name) => {
    const hash = createHash('sha256');
    // Each table's first two columns hold its key.
    for (const row of db.prepare<[], readonly unknown[]>(`SELECT * FROM ${name} ORDER BY 1, 2`).raw().all()) {
      for (const value of row) hash.update(Buffer.isBuffer(value) ? value.toString('hex') : String(value)).update('\0');
    }
    return [name, hash.digest('hex')];
  }));
}
