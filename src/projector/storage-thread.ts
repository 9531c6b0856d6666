import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { projections } from '../../projections/all.ts';
import type { AcceptedRecord } from '../log/accepted-record.ts';
import { LogTable } from '../log/sqlite/log-table.ts';
import { buildProjections, openProjections } from './open-projections.ts';
import { unpackBatch } from './packed-batch.ts';
import { Projector } from './projector.ts';
import type { ProjectionSettings } from './projection.ts';
import type { ToStorage, FromStorage } from './storage-messages.ts';

/**
 * The storage thread of the embedded service: it alone writes the log and the projections, so that no commit ever waits
 * in the main thread. A batch is durable in the log first and then applied; what could not be applied (a full disk) is
 * caught up from the log with the next batch.
 */
const catchUpBatch = 5_000;

/** While the projections cannot be written they are tried again this often. */
const catchUpEveryMs = 1_000;

const { folder, settings } = workerData as { folder: string; settings: ProjectionSettings };
const port = parentPort;
if (port === null) throw new Error('runs as a worker thread only');
const log = new LogTable(join(folder, 'log.db'));
const projectionsFolder = join(folder, 'projections');
send({ kind: 'opened', end: log.end, applied: 0 });
buildProjections(projectionsFolder, projections, (building) => {
  const builder = new Projector(building, projections, settings);
  for (let at = 0; at < log.end; at += catchUpBatch) builder.apply(log.readAfter(at, catchUpBatch));
});
const db = openProjections(projectionsFolder, projections);
const projector = new Projector(db, projections, settings);
let retry: NodeJS.Timeout | undefined;

function applied(): number {
  return projector.places.get(0)?.offset ?? 0;
}

/** The rows must come from this very log: the last applied record is compared with the one in its place. */
function refuseForeignLog(): void {
  const place = projector.places.get(0);
  if (place === undefined) return;
  const [record] = log.readAfter(place.offset - 1, 1);
  if (record?.hash === place.hash && Number(record.offset) === place.offset) return;
  throw new Error(
    `log.db does not hold the record that the projections were built from (position ${place.offset}): it was cut, replaced or restored from an older copy. `
    + `Put the right log.db back, or, if this one is right, delete the folder ${join(folder, 'projections')}: it is built anew from the log.`,
  );
}

function catchUp(): void {
  while (applied() < log.end) projector.apply(log.readAfter(applied(), catchUpBatch));
}

/** Tells that the projections cannot be written, and sees to it that they are tried again although nothing more may come. */
function lag(cause: unknown): void {
  send({ kind: 'lagging', applied: applied(), end: log.end, message: cause instanceof Error ? cause.message : String(cause) });
  retry ??= setTimeout(() => {
    retry = undefined;
    try {
      catchUp();
      send({ kind: 'caughtUp', applied: applied(), end: log.end });
    } catch (again) {
      lag(again);
    }
  }, catchUpEveryMs);
}

function send(message: FromStorage): void {
  port?.postMessage(message);
}

function append(batch: readonly Uint8Array[]): void {
  const outcomes = log.append(batch);
  const accepted = outcomes.filter((outcome): outcome is AcceptedRecord => outcome !== undefined);
  try {
    if (applied() === log.end - accepted.length) projector.apply(accepted);
    else catchUp();
  } catch (cause) {
    lag(cause);
  }
  send({ kind: 'appended', positions: outcomes.map((outcome) => Number(outcome?.offset ?? 0n)), applied: applied(), end: log.end });
}

function handle(message: ToStorage): void {
  switch (message.kind) {
    case 'append':
      try {
        append(unpackBatch(message.packed));
      } catch (cause) {
        send({ kind: 'refused', message: cause instanceof Error ? cause.message : String(cause) });
      }
      return;
    case 'end':
      try {
        catchUp();
      } catch (cause) {
        lag(cause);
      }
      send({ kind: 'end', end: log.end, applied: applied() });
      return;
    case 'close':
      clearTimeout(retry);
      db.close();
      log.close();
      send({ kind: 'closed' });
      port?.close();
      return;
    default:
      message satisfies never;
  }
}

refuseForeignLog();
catchUp();
send({ kind: 'ready', end: log.end, applied: applied() });
port.on('message', handle);
