import Sqlite from 'better-sqlite3';

/**
 * Whether what was thrown while a record was applied is the fault of the record, the same on every replica and however often
 * it is tried, and not one of the file or the disk, which another attempt may be spared.
 */
export function isFaultOfRecord(cause: unknown): boolean {
  return !(cause instanceof Sqlite.SqliteError) || /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(cause.code);
}
