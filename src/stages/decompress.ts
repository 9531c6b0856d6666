import type { Decoded } from '../bytes/jobs/decode-job.ts';
import type { BytesPool } from '../bytes/bytes-pool.ts';
import type { Wrapper } from '../formats/wrapper.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ImageStore, StagedPart } from '../stores/image-store.ts';
import type { StageRun } from './stage.ts';

/** What to take out of what. */
export interface DecompressInput {
  /** Which of the attempt's files; it is gone afterwards. */
  readonly from: StagedPart;
  /** What it was found to be. */
  readonly wrapper: Wrapper;
  /** What the image inside is said to be; unspecified: found out. */
  readonly declared: DiskFormat;
}

/** What decompress works with. */
export interface DecompressDeps {
  readonly pool: BytesPool;
  readonly store: ImageStore;
  /** The largest image that is taken, in bytes. */
  readonly maxImageBytes: number;
  /** How many times larger than its compressed form an image may be, beyond `ratioFreeBytes`. */
  readonly maxDecodedRatio: number;
}

/**
 * Takes the image out of what it came in (compressed, or an OVA) into the attempt's decoded part, durably, hashed and its head
 * judged like that of a fetched one. Throws FailureError, or the signal's reason; what was staged is removed by whoever ends
 * the attempt.
 */
export async function decompress(run: StageRun, deps: DecompressDeps, { from, wrapper, declared }: DecompressInput): Promise<Decoded> {
  const { path, name } = deps.store.stagedFile(run.taskId, run.attempt, from);
  const target = deps.store.stagedFile(run.taskId, run.attempt, 'decoded');
  const { maxImageBytes: maxBytes, maxDecodedRatio: maxRatio } = deps;
  const decoded = await deps.pool.decode({ path, name, wrapper, target, declared, maxBytes, maxRatio }, run);
  await deps.store.discardPart(run.taskId, run.attempt, from);
  return decoded;
}
