import Sqlite, { type Database } from 'better-sqlite3';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The data folder is in use by another server. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

// better-sqlite3 closes a database that is collected, which would release a lock that its caller forgot.
const held = new Set<Database>();

/**
 * Locks a data folder for this process until `release`, or until the process dies in whatever way: the lock is the
 * operating system's, held by SQLite on `lock.db`. Throws `DataFolderInUseError`, which names the folder and its holder.
 */
export function lockDataFolder(folder: string, holder: string): { release(): void } {
  makeFolder(folder);
  const holderFile = join(folder, 'holder');
  let db: Database | undefined;
  try {
    db = new Sqlite(join(folder, 'lock.db'), { timeout: 0 });
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db?.close();
    if (!(cause instanceof Sqlite.SqliteError) || cause.code !== 'SQLITE_BUSY') throw cause;
    throw new DataFolderInUseError(`data-dir ${folder} is in use by ${readHolder(holderFile)}. Stop it, or choose another data-dir.`, { cause });
  }
  writeFileSync(holderFile, holder, { mode: 0o600 });
  const locked = db;
  held.add(locked);
  return { release: () => { held.delete(locked); locked.close(); } };
}

/** Makes the folder; its parents only where they are missing, since where nothing can be made that would not end. */
function makeFolder(folder: string): void {
  try {
    if (!existsSync(folder)) mkdirSync(folder, { recursive: !existsSync(dirname(folder)), mode: 0o700 });
    if (!statSync(folder).isDirectory()) throw new Error('it is no folder');
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`data-dir ${folder} cannot be used: ${problem}. Choose another data-dir.`, { cause });
  }
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return 'another server';
  }
}
