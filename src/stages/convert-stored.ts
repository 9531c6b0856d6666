import { damagedArtefact } from '../destinations/delivery-failures.ts';
import type { Compression, DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import { isAsRecorded } from './artefact-of.ts';
import { convertVerified, type Converted, type ConvertVerifiedDeps } from './convert-verified.ts';
import type { Accepted } from './inspect.ts';
import type { StageRun } from './stage.ts';

/** What to convert: the attempt's borrowed image. */
export interface ConvertStoredInput {
  /** What was recorded of the image. */
  readonly image: Accepted & { readonly sizeBytes: number; readonly digest: string };
  readonly targetFormat: DiskFormat;
  readonly compression: Compression;
}

/**
 * Converts the attempt's borrowed image, whose bytes are compared with the digest that was recorded while qemu-img reads them: what a
 * damaged image is converted to is worth nothing, whatever qemu-img says of it. Throws what `convertVerified` throws, and IMAGE_CORRUPT.
 */
export async function convertStored(run: StageRun, deps: ConvertVerifiedDeps, input: ConvertStoredInput): Promise<Converted> {
  const { image, targetFormat, compression } = input;
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const [verified, converted] = await Promise.allSettled([
    verify({ ...run, signal, progress: () => undefined }, deps, image).catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
    convertVerified({ ...run, signal }, deps, { from: 'borrowed', original: image, targetFormat, compression }),
  ]);
  if (verified.status === 'rejected') throw verified.reason;
  if (converted.status === 'rejected') throw converted.reason;
  return converted.value;
}

async function verify(run: StageRun, { pool, store }: ConvertVerifiedDeps, image: ConvertStoredInput['image']): Promise<void> {
  const found = await pool.digest(store.stagedFile(run.taskId, run.attempt, 'borrowed'), run);
  if (!isAsRecorded(image, found)) throw damagedArtefact(image, found);
}
