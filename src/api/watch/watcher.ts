import type { Progress, Task } from '../../gen/lehr/v1/task.ts';
import type { Position } from '../../log/position.ts';
import { WatchBuffer } from './watch-buffer.ts';

/** Tasks that a watcher is known to have seen; beyond that, and after a resume, `removed` may name tasks that it has not. */
const seenLimit = 100_000;

/** One open watch, as the hub sees it: whose it is, what it wants, what waits for it. */
export class Watcher {
  readonly owner: string;
  readonly buffer = new WatchBuffer();
  readonly #matches: (task: Task) => boolean;
  readonly #seen = new Set<string>();
  /** Whether `#seen` holds every task that the caller may know of. */
  #seenAll: boolean;
  /** The hub has told this watcher everything up to here. */
  position: Position;

  constructor(owner: string, matches: (task: Task) => boolean, position: Position, resumed: boolean) {
    this.owner = owner;
    this.#matches = matches;
    this.position = position;
    this.#seenAll = !resumed;
  }

  /** Whether the task belongs into this watch now. */
  wants(task: Task): boolean {
    return task.owner === this.owner && task.state !== 'STATE_EXPIRED' && this.#matches(task);
  }

  /** Remembers that the caller was sent this task. */
  sent(taskId: string): void {
    if (this.#seen.size < seenLimit) this.#seen.add(taskId);
    else this.#seenAll = false;
  }

  /** A task has changed. */
  onChange(task: Task): void {
    if (task.owner !== this.owner) return;
    if (this.wants(task)) {
      this.sent(task.id);
      this.buffer.putChange(task.id, { $case: 'change', value: task });
    } else if (this.#seen.delete(task.id) || !this.#seenAll) {
      this.buffer.putChange(task.id, { $case: 'removed', value: { id: task.id } });
    }
  }

  /** A task has got further. */
  onProgress(task: Task, progress: Progress): void {
    const { id } = task;
    if (!this.#seen.has(id)) {
      if (this.#seenAll || !this.wants(task)) return;
      this.sent(id);
    }
    this.buffer.putProgress(id, { $case: 'progress', value: { id, progress } });
  }
}
