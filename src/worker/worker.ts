import { randomUUID } from 'node:crypto';
import type { Payload } from '../domain/decision.ts';
import { failure, FailureError } from '../domain/failures.ts';
import { kindOfSpec } from '../domain/task/kind.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import type { ExistingTask, TaskState } from '../domain/task/task-state.ts';
import type { TaskSpec } from '../gen/lehr/v1/task.ts';
import type { Attempt } from '../handlers/handler.ts';
import type { Job, JobQueue } from '../jobs/job-queue.ts';
import type { AppliedEvent } from '../projector/feed.ts';
import { ProjectionLaggingError } from '../streams/read-side.ts';
import { AttemptOverError } from './attempt-over.ts';
import { clearAttempt, clearLeftovers, finishCommitted, type FinishDeps } from './finish-task.ts';
import { executeOrOver, RunningAttempt, type AttemptDeps } from './running-attempt.ts';

/** What the worker says to the operator. */
export interface WorkerLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What a worker works with. */
export interface WorkerDeps extends FinishDeps, AttemptDeps {
  readonly queue: JobQueue;
  /** Runs the handler of the task's kind. */
  readonly handle: (spec: TaskSpec, attempt: Attempt) => Promise<void>;
  readonly node: string;
  /** This life of the node. */
  readonly incarnation: string;
  /** Whether another incarnation may be replaced (design rule 8). */
  readonly isDead: (incarnation: string) => boolean;
  readonly attemptLimit: number;
  /** Tasks at once. */
  readonly transfers: number;
  readonly log: WorkerLog;
  /** Told of each export that has failed or was canceled, at least once and before its staging goes; must not reject. */
  readonly onExportEnded?: (state: ExistingTask) => Promise<void>;
}

/** Jobs that are asked for at once: where each comes over the network, the way of one is not the wait of the next. */
const takesAtOnce = 8;

/** A task whose event could not be stored is taken up again after so long. */
const logRetryMs = 5_000;

/** Takes jobs, as many at once as `transfers`, and brings each task as far as it can. */
export class Worker {
  readonly #deps: WorkerDeps;
  readonly #running = new Map<string, RunningAttempt | undefined>();
  /** Tasks for which a job came while they were being worked on. */
  readonly #again = new Set<string>();
  readonly #stopTaking = new AbortController();
  /** Jobs that were asked for: each has its place among the transfers. */
  #taking = 0;
  #roomMade = Promise.withResolvers<void>();
  #graceIsOver = false;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
  }

  /** Tasks that are being worked on. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Whether a task is being worked on here. */
  isWorkingOn(taskId: string): boolean {
    return this.#running.has(taskId);
  }

  /** Takes jobs until `stop`. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: Math.min(takesAtOnce, this.#deps.transfers) }, () => this.#takeJobs()));
  }

  /**
   * Tells the worker what has happened: an attempt whose task is to be canceled, has another attempt or has ended, or which
   * was declared dead for being overdue, stops at once.
   */
  onEvents(events: readonly AppliedEvent[]): void {
    for (const { id, event: { payload } } of events) {
      const attempt = this.#running.get(id);
      if (attempt === undefined) continue;
      if (payload.$case === 'cancelRequested') attempt.stop(new AttemptOverError('canceled'));
      else if (endsAttempt(payload, attempt.number)) attempt.stop(new AttemptOverError('superseded'));
    }
  }

  /** Takes no more jobs, gives the running attempts `graceMs` to end, stops the others and waits for them. */
  async stop(graceMs: number): Promise<void> {
    this.#stopTaking.abort(new AttemptOverError('shutdown'));
    const stopAll = () => {
      this.#graceIsOver = true;
      for (const attempt of this.#running.values()) attempt?.stop(new AttemptOverError('shutdown'));
    };
    const unschedule = this.#deps.clock.schedule(graceMs, stopAll);
    while (this.#running.size > 0) await this.#roomMade.promise;
    unschedule();
  }

  async #takeJobs(): Promise<void> {
    const { signal } = this.#stopTaking;
    const isStopping = (): boolean => signal.aborted;
    while (!isStopping()) {
      while (this.#running.size + this.#taking >= this.#deps.transfers && !isStopping()) await this.#roomMade.promise;
      this.#taking += 1;
      const job = await this.#deps.queue.take(signal).catch(() => undefined);
      this.#taking -= 1;
      if (job !== undefined) this.#begin(job);
      this.#makeRoom();
    }
  }

  #begin(job: Job): void {
    if (this.#running.has(job.taskId)) {
      // It may be for the next attempt already, while this one still clears up.
      this.#again.add(job.taskId);
      job.done();
      return;
    }
    void this.#work(job.taskId).finally(() => { job.done(); });
  }

  #makeRoom(): void {
    const made = this.#roomMade;
    this.#roomMade = Promise.withResolvers<void>();
    made.resolve();
  }

  async #work(taskId: string): Promise<void> {
    this.#running.set(taskId, undefined);
    try {
      await this.#advance(taskId);
    } catch (cause) {
      this.#deps.log.warn({ task_id: taskId, err: cause }, 'task set aside, to be taken up again');
      this.#deps.clock.schedule(logRetryMs, () => { this.#deps.queue.offer(taskId); });
    } finally {
      this.#running.delete(taskId);
      if (this.#again.delete(taskId)) this.#deps.queue.offer(taskId);
      this.#makeRoom();
    }
  }

  async #advance(taskId: string): Promise<void> {
    const { tasks, clock, node, incarnation, isDead } = this.#deps;
    const started = await tasks.execute(taskId, (state) => ({
      type: 'startAttempt', node, incarnation, now: clock.now(),
      // This process runs each task at most once, and not now: an attempt of its own that is still open was set aside.
      runnerIsDead: state.status === 'running' && (state.incarnation === incarnation || isDead(state.incarnation)),
    }));
    if (started.kind === 'refused' && started.reason === 'TASK_COMMITTED') return finishCommitted(this.#deps, taskId);
    // Where the task has ended this job is to finish a clean-up that failed.
    if (started.kind !== 'appended' || started.state.status !== 'running') return this.#clear(started.state);
    const attempt = new RunningAttempt(started.state, this.#deps);
    this.#running.set(taskId, attempt);
    if (this.#graceIsOver) attempt.stop(new AttemptOverError('shutdown'));
    try {
      await this.#deps.handle(started.state.spec, attempt);
    } catch (cause) {
      // A handler that asked this node of something that it has not seen yet: it may have by the next time.
      return await this.#end(attempt, cause instanceof ProjectionLaggingError ? new AttemptOverError('log', { cause }) : cause);
    } finally {
      this.#deps.signals.publish({ taskId, progress: undefined });
    }
    await finishCommitted(this.#deps, taskId);
  }

  /** The handler did not get to its end: says so in the log, unless it is not for this attempt to say. */
  async #end(attempt: RunningAttempt, cause: unknown): Promise<void> {
    const { tasks, clock, attemptLimit, store } = this.#deps;
    const { taskId, number } = attempt;
    const now = clock.now();
    if (cause instanceof AttemptOverError && cause.reason !== 'canceled') {
      if (cause.reason === 'shutdown') return;
      // Whoever ended the task has cleared up perhaps before this attempt left its last file.
      if (cause.reason === 'superseded') return this.#clear(tasks.latest(taskId));
      throw cause;
    }
    const executed = cause instanceof AttemptOverError
      ? await executeOrOver(tasks, taskId, { type: 'confirmCancel', attempt: number, now })
      : await executeOrOver(tasks, taskId, { type: 'failAttempt', attempt: number, failure: this.#failureOf(attempt, cause), attemptLimit, now });
    if (executed.state.status === 'pending') await clearAttempt(store, executed.state);
    else await this.#clear(executed.state);
  }

  async #clear(state: TaskState): Promise<void> {
    const hasEndedInVain = state.status === 'failed' || state.status === 'canceled';
    if (hasEndedInVain && kindOfSpec(state.spec) === 'export') await this.#deps.onExportEnded?.(state);
    await clearLeftovers(this.#deps.store, state);
  }

  #failureOf({ taskId, currentStage }: RunningAttempt, cause: unknown): Failure {
    if (cause instanceof FailureError) return { ...cause.failure, stage: currentStage };
    const incident = randomUUID();
    this.#deps.log.error({ task_id: taskId, stage: currentStage, incident, err: cause }, 'a bug, or the machine, stopped an attempt');
    const message = `The server itself failed in the stage ${currentStage}. Its log has the cause under incident ${incident}.`;
    return { ...failure('WORKER_FAULT', message, { incident }), stage: currentStage };
  }
}

function endsAttempt(payload: Payload, number: number): boolean {
  if (payload.$case === 'attemptStarted') return payload.value.attempt > number;
  if (payload.$case === 'attemptFailed') return payload.value.attempt === number;
  return payload.$case === 'taskFailed' || payload.$case === 'taskCanceled';
}
