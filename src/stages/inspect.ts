import type { BytesPool } from '../bytes/bytes-pool.ts';
import { FailureError } from '../domain/failures.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ImageStore, StagedPart } from '../stores/image-store.ts';
import type { StageRun } from './stage.ts';

/** What to inspect. */
export interface InspectInput {
  /** Which of the attempt's files. */
  readonly part: StagedPart;
  /** Unspecified: found out. */
  readonly declared: DiskFormat;
  /** A guest's disk may not be larger. */
  readonly maxVirtualBytes: bigint;
}

/** What inspect works with. */
export interface InspectDeps {
  readonly pool: BytesPool;
  readonly store: ImageStore;
}

/** A verdict that lets an image pass. */
export type Accepted = Extract<Verdict, { kind: 'accepted' }>;

/** Judges the whole of a file that the attempt has staged. Throws FailureError with the refusal, or the signal's reason. */
export async function inspect(run: StageRun, deps: InspectDeps, { part, ...input }: InspectInput): Promise<Accepted> {
  run.signal.throwIfAborted();
  const verdict = await untilAborted(
    deps.pool.inspect({ ...deps.store.stagedFile(run.taskId, run.attempt, part), ...input }),
    run.signal,
  );
  if (verdict.kind === 'refused') throw new FailureError(verdict.failure);
  return verdict;
}

/** An inspection cannot be stopped inside its thread; it reads tables only, so it is short, and its end is not waited for. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
