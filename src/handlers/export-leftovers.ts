import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Destinations, EndedExport } from '../destinations/destination.ts';
import type { ExistingTask } from '../domain/task/task-state.ts';
import type { ImageStore } from '../stores/image-store.ts';

/** What is left at a destination is removed within so long, or stays: the place among the transfers is wanted. */
const removeMs = 15_000;

/** What the clean-up behind an export works with. */
export interface ExportLeftoversDeps {
  readonly store: ImageStore;
  readonly destinations: Destinations;
  readonly log: { warn(fields: Readonly<Record<string, unknown>>, message: string): void };
}

/**
 * Removes what died attempts of an export that failed or was canceled have left unfinished at its destination; of any other task nothing.
 * To be called before its staging is discarded. Does what it can: what fails is logged.
 */
export function removeExportLeftovers({ store, destinations, log }: ExportLeftoversDeps): (state: ExistingTask) => Promise<void> {
  return async ({ id, status, attempt, owner, spec: { kind } }) => {
    if (kind?.$case !== 'exportImage' || attempt === 0 || !['failed', 'canceled'].includes(status)) return;
    const { destinationUri, credential } = kind.value;
    try {
      const artefacts = await stagedArtefacts(store, id, attempt);
      const ended = { taskId: id, attempts: attempt, artefacts };
      await destinations.removeLeftovers({ uri: destinationUri, credential, owner }, ended, AbortSignal.timeout(removeMs));
    } catch (err) {
      log.warn({ task_id: id, err }, 'what an export may have left unfinished at its destination could not be removed');
    }
  };
}

/** What attempts may have delivered, as far as this node has it. Files that share their bytes count once. */
async function stagedArtefacts(store: ImageStore, taskId: string, attempts: number): Promise<EndedExport['artefacts']> {
  const found = new Map<bigint, EndedExport['artefacts'][number]>();
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    for (const part of ['borrowed', 'converted'] as const) {
      const { path } = store.stagedFile(taskId, attempt, part);
      const stats = await stat(path, { bigint: true }).catch(() => undefined);
      if (stats === undefined) continue;
      found.set(stats.ino, { sizeBytes: Number(stats.size), chunks: (start, signal) => createReadStream(path, { start, signal }) });
    }
  }
  return [...found.values()];
}
