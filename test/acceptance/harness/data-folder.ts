import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

import Sqlite from 'better-sqlite3';

import { decodeCanonical } from '../../../src/log/canonical.ts';
import { openRecord } from '../../../src/log/envelope.ts';
import { storedRecords } from '../../../src/log/sqlite/stored-records.ts';

/** One event of a log that no server has open. */
export interface LoggedEvent {
  /** `tasks/<id>` or `images/<id>`. */
  readonly subject: string;
  /** Such as `taskCreated`, or `stageCompleted fetch`. */
  readonly what: string;
}

/** What the log of a dead server holds, in order. Reads a copy, so that the server that comes next finds what the dead one left. */
export function readDeadLog(folder: string): readonly LoggedEvent[] {
  const copy = mkdtempSync(path.join(tmpdir(), 'lehr-log-'));
  try {
    for (const name of readdirSync(folder).filter((file) => file.startsWith('log.db') && !file.endsWith('-shm'))) {
      cpSync(path.join(folder, name), path.join(copy, name));
    }
    // Takes in what stands in the write-ahead log only.
    new Sqlite(path.join(copy, 'log.db')).close();
    return [...storedRecords(path.join(copy, 'log.db'))].flat().map(({ canonical }) => {
      const record = decodeCanonical(canonical);
      const payload = openRecord(record)?.payload;
      const what = payload?.$case === 'stageCompleted' ? `stageCompleted ${payload.value.stage}` : payload?.$case ?? 'unknown';
      return { subject: record.headers.ce_subject, what };
    });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The names of the files in the store of a data folder, by folder. */
export function storeFiles(folder: string): { readonly staging: readonly string[]; readonly images: readonly string[] } {
  return {
    staging: readdirSync(path.join(folder, 'store/staging')),
    images: readdirSync(path.join(folder, 'store/images')).toSorted(),
  };
}

/** Waits until nothing is staged: an attempt clears up behind the event that ends its task. The test's time-out is the bound. */
export async function awaitEmptyStaging(folder: string): Promise<void> {
  while (storeFiles(folder).staging.length > 0) await setTimeout(5);
}
