import { stat } from 'node:fs/promises';
import type { BytesPool } from '../bytes/bytes-pool.ts';
import type { StagedResult } from '../bytes/staged-file.ts';
import { FailureError } from '../domain/failures.ts';
import type { ImageStore } from '../stores/image-store.ts';
import { storeFailure } from '../stores/store-failure.ts';
import { isAsRecorded, type ArtefactFile } from './artefact-of.ts';
import type { StageRun } from './stage.ts';

/** What this stage works with. */
export interface EarlierConversionDeps {
  readonly pool: BytesPool;
  readonly store: ImageStore;
}

/**
 * The converted file of an earlier attempt of the task, whose size and digest were recorded and which still has them: two conversions of
 * one image differ, and what was recorded is what is delivered. Files that are of no use, damaged or never finished, are removed on
 * the way: their attempts are over, so that nobody will ever need them. Undefined where none is left. Rejects where one cannot be read.
 */
export async function earlierConversion(
  run: StageRun, deps: EarlierConversionDeps, recorded: readonly StagedResult[],
): Promise<ArtefactFile | undefined> {
  for (let attempt = run.attempt - 1; attempt >= 1; attempt -= 1) {
    const file = deps.store.stagedFile(run.taskId, attempt, 'converted');
    const found = await contentOf(file.path, file.name, run, deps.pool, recorded);
    if (found !== undefined) return { ...file, ...found };
    await deps.store.discardPart(run.taskId, attempt, 'converted');
  }
  return undefined;
}

async function contentOf(
  path: string, name: string, run: StageRun, pool: BytesPool, recorded: readonly StagedResult[],
): Promise<StagedResult | undefined> {
  const size = await stat(path).then((stats) => stats.size, (error: unknown) => unlessGone(new FailureError(storeFailure(error, name, 0))));
  if (size === undefined || !recorded.some(({ sizeBytes }) => sizeBytes === size)) return undefined;
  const found = await pool.digest({ path, name }, run).catch(unlessGone);
  return found !== undefined && recorded.some((conversion) => isAsRecorded(conversion, found)) ? found : undefined;
}

/** A file that cannot be read now may be as it was recorded. */
function unlessGone(error: unknown): undefined {
  if (error instanceof FailureError && error.failure.metadata['system_error'] === 'ENOENT') return undefined;
  throw error;
}
