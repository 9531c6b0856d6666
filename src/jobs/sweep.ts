import type { TaskPlace, TaskQueries } from '../../projections/tasks/queries.ts';
import type { Clock } from '../domain/clock.ts';
import type { JobQueue } from './job-queue.ts';

/** Unfinished tasks that are looked at in one go. */
const pageSize = 500;

/** Between two pages others get a turn, and the queue time to take in what was offered. */
const pagePauseMs = 20;

/** In a cluster each node looks for due tasks so often: jobs may be lost, and the tasks of a node that died wait for nobody. */
export const sweepEveryMs = 30_000;

/** Jobs that a regular sweep offers at most, those of the oldest tasks: while there are more, they are not what is missing. */
export const offerLimit = 10_000;

/** What a sweep works with. */
export interface SweepDeps {
  readonly tasks: Pick<TaskQueries, 'unfinished'>;
  readonly queue: Pick<JobQueue, 'offer'>;
  readonly clock: Clock;
  /** Whether a job for the task would change something now. Without it every unfinished task is offered. */
  readonly isDue?: (taskId: string) => boolean;
  /** Sweeps again and again. Without it there is a sweep at the start and whenever one is asked for, of all tasks. */
  readonly regular?: {
    readonly everyMs: number;
    /** From 0 to below 1: spreads the sweeps of the nodes. */
    readonly random: () => number;
  };
}

/**
 * Offers a job for each unfinished task that is due, the oldest first: this is what makes it harmless that jobs are lost, and
 * what finds the tasks of nodes that died. Works page by page with pauses between, one sweep at a time.
 */
export class Sweep {
  readonly #deps: SweepDeps;
  #cancelNext: (() => void) | undefined;
  #cancelPage: (() => void) | undefined;
  #isRunning = false;
  /** Somebody asked for one that begins now or later. */
  #isWanted = false;
  #isStopped = false;

  constructor(deps: SweepDeps) {
    this.#deps = deps;
  }

  /** Sweeps now and, where it is regular, from time to time. */
  start(): void {
    this.run();
    this.#scheduleNext();
  }

  /** Sweeps now. One that is asked for while another runs follows it; however often it is asked for, that is one. */
  run(): void {
    if (this.#isStopped) return;
    this.#isWanted = true;
    if (!this.#isRunning) this.#begin();
  }

  /** Ends a sweep that runs and begins no other. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelPage?.();
    this.#cancelNext?.();
  }

  #scheduleNext(): void {
    const { regular, clock } = this.#deps;
    if (regular === undefined || this.#isStopped) return;
    const waitMs = Math.round(regular.everyMs * (0.75 + regular.random() / 2));
    this.#cancelNext = clock.schedule(waitMs, () => {
      this.run();
      this.#scheduleNext();
    });
  }

  #begin(): void {
    this.#isRunning = true;
    this.#isWanted = false;
    this.#page(undefined, this.#deps.regular === undefined ? Infinity : offerLimit);
  }

  #page(after: TaskPlace | undefined, room: number): void {
    const { tasks, queue, isDue, clock } = this.#deps;
    const page = tasks.unfinished(after, pageSize);
    for (const { id } of page) {
      if (room === 0) break;
      if (isDue?.(id) === false) continue;
      queue.offer(id);
      room -= 1;
    }
    const isLast = page.length < pageSize || room === 0;
    this.#isRunning = !isLast || this.#isWanted;
    if (!this.#isRunning) return;
    this.#cancelPage = clock.schedule(pagePauseMs, () => {
      if (isLast) this.#begin();
      else this.#page(page.at(-1), room);
    });
  }
}
