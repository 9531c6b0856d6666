import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { projections } from '../../projections/all.ts';
import type { AcceptedRecord } from '../log/accepted-record.ts';
import { LogTable } from '../log/sqlite/log-table.ts';
import { buildProjections, openProjections } from './open-projections.ts';
import { messageOf, orExplain } from './or-explain.ts';
import { unpackBatch } from './packed-batch.ts';
import { Projector } from './projector.ts';
import type { ProjectionSettings } from './projection.ts';
import type { FromStorage, ToStorage } from './storage-messages.ts';

/** Records that are applied at a time while the projections catch up. */
const catchUpBatch = 5_000;

/** While the projections cannot be written they are tried again this often. */
const catchUpEveryMs = 1_000;

/**
 * The storage thread of the embedded service: it alone writes the log and the projections, so that no commit ever waits
 * in the main thread. A batch is durable in the log first and then applied; what could not be applied (a full disk) is
 * caught up from the log with the next batch, or a second later.
 */
class StorageThread {
  readonly #log: LogTable;
  readonly #files: DisposableStack;
  readonly #projector: Projector;
  #retry: NodeJS.Timeout | undefined;

  /** `files`: both of them, which the last message closes. */
  constructor(log: LogTable, db: Database, files: DisposableStack, settings: ProjectionSettings) {
    this.#log = log;
    this.#files = files;
    this.#projector = new Projector(db, projections, settings);
  }

  /** The rows must come from this very log: the last applied record is compared with the one in its place. */
  refuseForeignLog(projectionsFolder: string): void {
    const place = this.#projector.places.get(0);
    if (place === undefined) return;
    const [record] = this.#log.readAfter(place.offset - 1, 1);
    if (record?.hash === place.hash && Number(record.offset) === place.offset) return;
    throw new Error(
      `log.db does not hold the record that the projections were built from (position ${place.offset}): it was cut, replaced or restored `
      + `from an older copy. Put the right log.db back, or, if this one is right, delete the folder ${projectionsFolder}: it is built anew `
      + 'from the log.',
    );
  }

  catchUp(): void {
    while (this.#applied() < this.#log.end) this.#projector.apply(this.#log.readAfter(this.#applied(), catchUpBatch));
  }

  place(): { readonly applied: number; readonly end: number } {
    return { applied: this.#applied(), end: this.#log.end };
  }

  handle(message: ToStorage): void {
    switch (message.kind) {
      case 'append':
        return this.#append(unpackBatch(message.packed));
      case 'end':
        this.#attempt(() => { this.catchUp(); });
        return send({ kind: 'end', ...this.place() });
      case 'close':
        clearTimeout(this.#retry);
        this.#files.dispose();
        send({ kind: 'closed' });
        return parentPort?.close();
      default:
        message satisfies never;
    }
  }

  #applied(): number {
    return this.#projector.places.get(0)?.offset ?? 0;
  }

  #append(batch: readonly Uint8Array[]): void {
    let outcomes: readonly (AcceptedRecord | undefined)[];
    try {
      outcomes = this.#log.append(batch);
    } catch (cause) {
      return send({ kind: 'refused', message: messageOf(cause) });
    }
    const accepted = outcomes.filter((outcome) => outcome !== undefined);
    this.#attempt(() => {
      if (this.#applied() === this.#log.end - accepted.length) this.#projector.apply(accepted);
      else this.catchUp();
    });
    send({ kind: 'appended', positions: outcomes.map((outcome) => Number(outcome?.offset ?? 0n)), ...this.place() });
  }

  /** Projects; where that fails it tells so, and sees to it that it is tried again although nothing more may come. */
  #attempt(project: () => void): void {
    try {
      project();
    } catch (cause) {
      send({ kind: 'lagging', ...this.place(), message: messageOf(cause) });
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#attempt(() => {
          this.catchUp();
          send({ kind: 'caughtUp', ...this.place() });
        });
      }, catchUpEveryMs);
    }
  }
}

function start(folder: string, settings: ProjectionSettings, files: DisposableStack): void {
  const logFile = join(folder, 'log.db');
  const projectionsFolder = join(folder, 'projections');
  const log = orExplain(() => new LogTable(logFile), (problem) =>
    `${logFile} cannot be opened: ${problem}. It holds every event: put a back-up in its place; nothing was changed.`);
  files.defer(() => { log.close(); });
  send({ kind: 'opened', end: log.end, applied: 0 });
  const thread = orExplain(() => {
    buildProjections(projectionsFolder, projections, (building) => {
      const builder = new Projector(building, projections, settings);
      for (let at = 0; at < log.end; at += catchUpBatch) builder.apply(log.readAfter(at, catchUpBatch));
    });
    const db = openProjections(projectionsFolder, projections);
    files.defer(() => { db.close(); });
    return new StorageThread(log, db, files, settings);
  }, (problem) => `The projections cannot be opened or built: ${problem}. Delete the folder ${projectionsFolder}: it is built anew from the log.`);
  thread.refuseForeignLog(projectionsFolder);
  thread.catchUp();
  send({ kind: 'ready', ...thread.place() });
  parentPort?.on('message', (message: ToStorage) => { thread.handle(message); });
}

function send(message: FromStorage): void {
  parentPort?.postMessage(message);
}

const { folder, settings } = workerData as { folder: string; settings: ProjectionSettings };
const files = new DisposableStack();
try {
  start(folder, settings, files);
} catch (cause) {
  // Closed before it is told: whoever hears of it may open or remove them at once, and a last connection that closes locks its file.
  files.dispose();
  // Told as a message, which keeps its place behind `opened`; an exception would overtake it.
  send({ kind: 'failed', message: messageOf(cause) });
}
