import { failure, FailureError } from '../domain/failures.ts';
import type { TaskSpec } from '../gen/lehr/v1/task.ts';
import { cloneHandler, type CloneDeps } from './clone.ts';
import { exportHandler, type ExportDeps } from './export.ts';
import type { Attempt } from './handler.ts';
import { importHandler, type ImportDeps } from './import.ts';

/** Runs the handler of a task's kind. */
export function handleTask(deps: ImportDeps & ExportDeps & CloneDeps): (spec: TaskSpec, attempt: Attempt) => Promise<void> {
  const importImage = importHandler(deps);
  const exportImage = exportHandler(deps);
  const cloneImage = cloneHandler(deps);
  return async ({ kind }, attempt) => {
    switch (kind?.$case) {
      case 'importImage':
        return importImage(kind.value, attempt);
      case 'exportImage':
        return exportImage(kind.value, attempt);
      case 'cloneImage':
        return cloneImage(kind.value, attempt);
      case undefined:
        // Refused by CreateTask; met only in a log that a newer version wrote.
        throw new FailureError(failure('FORMAT_UNSUPPORTED', 'This server does not run tasks of this kind.'));
      default:
        return kind satisfies never;
    }
  };
}
