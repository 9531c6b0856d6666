import type { Progress } from '../gen/lehr/v1/task.ts';
import type { Signals } from '../jobs/signals.ts';

/** Tasks whose progress is remembered at most. */
const boardLimit = 10_000;

/** The newest progress of each running task, as far as signals told. */
export class ProgressBoard {
  readonly #progress = new Map<string, Progress>();

  constructor(signals: Signals) {
    signals.listen(({ taskId, progress }) => {
      if (progress === undefined) this.#progress.delete(taskId);
      else if (this.#progress.size < boardLimit || this.#progress.has(taskId)) this.#progress.set(taskId, progress);
    });
  }

  get(taskId: string): Progress | undefined {
    return this.#progress.get(taskId);
  }
}
