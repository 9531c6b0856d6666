import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryJobQueue } from '../jobs/memory/memory-job-queue.ts';
import { MemorySignals } from '../jobs/memory/memory-signals.ts';
import { SqliteEventLog } from '../log/sqlite/sqlite-event-log.ts';
import { storedRecords } from '../log/sqlite/stored-records.ts';
import type { ProjectionSettings } from '../projector/projection.ts';
import { openStorage } from '../projector/storage.ts';
import type { Backend } from './backend.ts';

/**
 * The log in SQLite, jobs and signals in the process. The caller has locked the folder, which proves every other incarnation dead.
 * Rejects, with a message for the operator, where the folder is that of a node of a cluster: its projections show another log.
 */
export async function openEmbedded(folder: string, settings: ProjectionSettings, onDeath: (cause: unknown) => void): Promise<Backend> {
  if (existsSync(join(folder, 'node.json'))) {
    throw new Error(`data-dir: ${folder} belongs to a node of a cluster (node.json). Set log to kafka, or give this server a folder of its own.`);
  }
  const storage = await openStorage(folder, settings, onDeath);
  let log: SqliteEventLog | undefined;
  return {
    projectionsFolder: storage.projectionsFolder,
    applied: storage.applied,
    ready: storage.ready,
    coordination: {
      signals: new MemorySignals(),
      incarnation: randomUUID(),
      isDead: () => true,
      openQueue: (sweep) => new MemoryJobQueue(sweep),
      timerSpread: undefined,
      regularSweep: undefined,
      leave: () => undefined,
      isConnected: true,
      close: () => Promise.resolve(),
    },
    openLog: () => (log ??= new SqliteEventLog(storage, storage.logFile, storage.endAtOpen)),
    storedRecords: (subject) => storedRecords(storage.logFile, subject),
    get lagRecords() { return storage.lagRecords; },
    // What does not decode stops the start here, and unknown types come only with a log of a newer version.
    haltedPartitions: 0,
    unknownTypes: 0,
    problems: () => (storage.lagging === undefined ? [] : [`the projections cannot be written: ${storage.lagging}`]),
    interrupt: () => storage.close(),
    async close() {
      await log?.close();
      await storage.close();
    },
  };
}
