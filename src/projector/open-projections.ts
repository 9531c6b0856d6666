import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import type { Projection } from './projection.ts';

const placesSchema = readFileSync(new URL('applied-places.sql', import.meta.url), 'utf8');

/** SQLite keeps so much of the tables in memory, in KiB; more while they are built. */
const cacheKiB = 16_384;
const buildingCacheKiB = 65_536;

/** The write-ahead log is checkpointed when it holds so many pages (4 KiB each). */
const walPages = 4_000;

/**
 * The name of the file that holds `projections`: it names their versions, so that a new version is built beside the old
 * one and never into it.
 */
export function projectionsFileName(projections: readonly Projection[]): string {
  return `${projections.map(({ name, version }) => `${name}${version}`).toSorted().join('-')}.db`;
}

/** Opens the tables of `projections` for writing, in `folder` or, where it is `:memory:`, in memory; makes them where they are missing. */
export function openProjections(folder: string, projections: readonly Projection[]): Database {
  if (folder !== ':memory:') mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = new Sqlite(folder === ':memory:' ? folder : join(folder, projectionsFileName(projections)));
  db.pragma('journal_mode = WAL');
  // Losing the last batches in a power cut is harmless: they are applied again from the log.
  db.pragma('synchronous = NORMAL');
  db.pragma(`wal_autocheckpoint = ${walPages}`);
  db.pragma(`cache_size = -${cacheKiB}`);
  const made = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'applied_places'`).get() !== undefined;
  if (!made) createTables(db, projections);
  return db;
}

/**
 * Builds the tables in a file of its own and puts it in its place only when it is whole: `fill` applies the log to it. Does
 * nothing where the file exists.
 */
export function buildProjections(folder: string, projections: readonly Projection[], fill: (db: Database) => void): void {
  const build = beginBuild(folder, projections);
  if (build === undefined) return;
  fill(build.db);
  build.finish();
}

/** Tables that are being built. */
export interface Build {
  readonly db: Database;
  /** Closes the database and puts its file in its place; only then can `openProjections` open it. */
  finish(): void;
}

/**
 * Begins to build the tables in a file of its own; undefined where they exist. It needs no syncing on the way, and its
 * journal may be in memory, since what a crash leaves is thrown away.
 */
export function beginBuild(folder: string, projections: readonly Projection[]): Build | undefined {
  const file = join(folder, projectionsFileName(projections));
  if (existsSync(file)) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const building = `${file}.building`;
  rmSync(building, { force: true });
  const db = new Sqlite(building);
  db.pragma('journal_mode = MEMORY');
  db.pragma('synchronous = OFF');
  db.pragma('locking_mode = EXCLUSIVE');
  db.pragma(`cache_size = -${buildingCacheKiB}`);
  createTables(db, projections);
  return {
    db,
    finish() {
      db.close();
      syncPath(building);
      renameSync(building, file);
      syncPath(folder);
    },
  };
}

/** Opens the same tables for reading, in the thread that answers queries. */
export function openProjectionsForReading(folder: string, projections: readonly Projection[]): Database {
  const db = new Sqlite(join(folder, projectionsFileName(projections)), { readonly: true, fileMustExist: true });
  db.pragma('query_only = ON');
  return db;
}

/** Removes the files of other versions: call it once the new ones have caught up. */
export function removeOldProjections(folder: string, projections: readonly Projection[]): void {
  const current = projectionsFileName(projections);
  for (const name of readdirSync(folder)) {
    if (/\.db(-wal|-shm|\.building)?$/.test(name) && !name.startsWith(current)) rmSync(join(folder, name), { force: true });
  }
}

function createTables(db: Database, projections: readonly Projection[]): void {
  db.transaction(() => {
    for (const sql of [placesSchema, ...projections.map(({ schema }) => schema)]) db.exec(sql);
  })();
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
