import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { AppendChannel } from '../../../src/log/sqlite/append-channel.ts';
import { SqliteEventLog } from '../../../src/log/sqlite/sqlite-event-log.ts';
import { openStorage, type Storage } from '../../../src/projector/storage.ts';
import type { LogUnderTest } from '../../contract/event-log.ts';

/** A temporary folder that goes with the test. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-log-'));
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }); });
  return folder;
}

/** The storage of `folder`; a thread that dies by itself fails the test. */
export function storageIn(folder: string): Promise<Storage> {
  return openStorage(folder, { stageTimeoutMs: 60_000 }, (cause) => { throw cause; });
}

/** The embedded log with its storage thread, in a folder of its own. `wrap` sees the channel first. */
export async function openSqliteLog(
  t: ExecutionContext, wrap: (channel: AppendChannel) => AppendChannel = (channel) => channel,
): Promise<LogUnderTest & { readonly storage: Storage; readonly folder: string }> {
  const folder = temporaryFolder(t);
  let storage = await storageIn(folder);
  let log = new SqliteEventLog(wrap(storage), storage.logFile, storage.endAtOpen);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= log.close().then(() => storage.close()));
  t.teardown(close);
  return {
    log, storage, folder,
    async reopen() {
      await close();
      storage = await storageIn(folder);
      log = new SqliteEventLog(wrap(storage), storage.logFile, storage.endAtOpen);
      closed = undefined;
      return log;
    },
  };
}
