import type { BytesPool } from '../bytes/bytes-pool.ts';
import type { Delivered, DestinationRequest, Destinations } from '../destinations/destination.ts';
import type { BytesFound } from '../destinations/stored-bytes.ts';
import { artefactOf, type ArtefactFile } from './artefact-of.ts';
import type { StageRun } from './stage.ts';

/** What to deliver, and where to. */
export interface DeliverInput {
  readonly file: ArtefactFile;
  readonly to: DestinationRequest;
  /** Sizes and digests that this task has recorded: what has one of them at the destination is its own. */
  readonly ours: readonly BytesFound[];
}

/** What deliver works with. */
export interface DeliverDeps {
  readonly pool: BytesPool;
  readonly destinations: Destinations;
}

/** A canceled task's object is removed from its destination within so long, or stays there; it is read before. */
const withdrawMs = 30_000;
const withdrawBytesPerSecond = 20_000_000;

/** Delivers a file of the store, verified while it is read; see `Destinations.deliver` for what it rejects with. */
export async function deliver(run: StageRun, deps: DeliverDeps, { file, to, ours }: DeliverInput): Promise<Delivered> {
  const { taskId, attempt, signal } = run;
  run.progress(0, file.sizeBytes);
  return deps.destinations.deliver(to, artefactOf(file, deps.pool), {
    taskId, attempt, ours, signal, progress: (bytesDone, bytesTotal) => run.progress(bytesDone, bytesTotal),
  });
}

/**
 * Takes back what was delivered for a task that was canceled after it; whether nothing of it is left. What lay there before stays: another
 * task may have delivered the same bytes, and its success is worth more than this cancel.
 */
export async function withdraw({ destinations }: DeliverDeps, from: DestinationRequest, delivered: Delivered): Promise<boolean> {
  if (delivered.existed === true) return false;
  const readMs = Math.ceil(delivered.sizeBytes / withdrawBytesPerSecond) * 1_000;
  return destinations.withdraw(from, delivered, AbortSignal.timeout(withdrawMs + readMs)).catch(() => false);
}
