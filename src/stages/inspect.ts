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
  /** A raw disk on which nothing is recognised is refused. */
  readonly requireRecognisedRaw: boolean;
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
  const { path, name } = deps.store.stagedFile(run.taskId, run.attempt, part);
  const verdict = await deps.pool.inspect({ path, name, ...input, depth: 'guest' }, run);
  if (verdict.kind === 'refused') throw new FailureError(verdict.failure);
  return verdict;
}
