import type { Clock } from '../domain/clock.ts';
import { failure, FailureError } from '../domain/failures.ts';
import type { TaskCommand } from '../domain/task/task-command.ts';
import type { RunningTask, TaskState } from '../domain/task/task-state.ts';
import type { StageCompleted } from '../gen/lehr/v1/event.ts';
import type { TaskResult } from '../gen/lehr/v1/task.ts';
import type { Attempt, Finding, StoredImage } from '../handlers/handler.ts';
import type { Signals } from '../jobs/signals.ts';
import type { StageRun } from '../stages/stage.ts';
import { AppendUnknownError } from '../streams/streams.ts';
import { ProjectionLaggingError } from '../streams/read-side.ts';
import type { TaskStreams } from '../streams/task-streams.ts';
import { AttemptOverError, overBecause } from './attempt-over.ts';
import { progressReporter } from './progress-reporter.ts';

/** What a running attempt works with. */
export interface AttemptDeps {
  readonly tasks: TaskStreams;
  readonly signals: Signals;
  readonly clock: Clock;
  /** How long a stage may take. */
  readonly stageTimeoutMs: number;
}

/** One attempt of one task: runs the handler's stages and appends what they found. */
export class RunningAttempt implements Attempt {
  readonly taskId: string;
  readonly number: number;
  readonly owner: string;
  readonly recorded: readonly StageCompleted[];
  /** The stage that runs, or ran last; empty before the first. */
  currentStage = '';
  readonly #deps: AttemptDeps;
  readonly #over = new AbortController();

  constructor({ id, attempt, owner, recorded }: RunningTask, deps: AttemptDeps) {
    this.taskId = id;
    this.number = attempt;
    this.owner = owner;
    this.recorded = recorded;
    this.#deps = deps;
  }

  /** Ends the attempt from outside: the running stage stops at once. */
  stop(reason: AttemptOverError): void {
    this.#over.abort(reason);
  }

  async stage<Result>(name: string, work: (run: StageRun) => Promise<Result>, found: (result: Result) => Finding): Promise<Result> {
    const startedMs = this.#deps.clock.monotonicMs();
    const result = await this.lastStage(name, work);
    const elapsedMs = this.#deps.clock.monotonicMs() - startedMs;
    await this.#append({
      type: 'completeStage',
      now: this.#deps.clock.now(),
      found: {
        attempt: this.number,
        stage: name,
        duration: { seconds: BigInt(Math.trunc(elapsedMs / 1_000)), nanos: Math.trunc((elapsedMs % 1_000) * 1e6) },
        bytes: 0n, digest: '', format: 'DISK_FORMAT_UNSPECIFIED', virtualSizeBytes: 0n, warnings: [], facts: {},
        ...found(result),
      },
    });
    return result;
  }

  async lastStage<Result>(name: string, work: (run: StageRun) => Promise<Result>): Promise<Result> {
    const { clock, signals, stageTimeoutMs } = this.#deps;
    this.#over.signal.throwIfAborted();
    this.currentStage = name;
    const stop = new AbortController();
    const onOver = () => { stop.abort(this.#over.signal.reason); };
    this.#over.signal.addEventListener('abort', onOver, { once: true });
    const unschedule = clock.schedule(stageTimeoutMs, () => {
      const message = `The stage ${name} did not end within ${stageTimeoutMs / 1_000} s (stage-timeout).`;
      stop.abort(new FailureError(failure('DEADLINE_EXCEEDED', message, { stage_timeout_seconds: String(stageTimeoutMs / 1_000) })));
    });
    try {
      const progress = progressReporter(this.taskId, name, signals, clock);
      return await work({ taskId: this.taskId, attempt: this.number, signal: stop.signal, progress });
    } finally {
      unschedule();
      this.#over.signal.removeEventListener('abort', onOver);
    }
  }

  async commit(stored: StoredImage): Promise<void> {
    this.#over.signal.throwIfAborted();
    await this.#append({ type: 'storeImage', now: this.#deps.clock.now(), stored: { attempt: this.number, ...stored } });
  }

  async deliver(result: TaskResult, withdraw: () => Promise<void>): Promise<void> {
    const { tasks, clock } = this.#deps;
    const over: unknown = this.#over.signal.reason;
    if (over instanceof AttemptOverError) {
      if (over.reason === 'canceled' || hasEndedInVain(tasks.latest(this.taskId))) await withdraw();
      throw over;
    }
    const executed = await executeOrOver(tasks, this.taskId, { type: 'deliverResult', now: clock.now(), attempt: this.number, result });
    if (executed.kind !== 'refused') return;
    if (executed.reason === 'CANCEL_REQUESTED' || hasEndedInVain(executed.state)) await withdraw();
    throw overBecause(executed.reason);
  }

  async #append(command: TaskCommand): Promise<void> {
    const executed = await executeOrOver(this.#deps.tasks, this.taskId, command);
    if (executed.kind === 'refused') throw overBecause(executed.reason);
  }
}

/** Whether a task can succeed no more: what was delivered for it is nobody's. */
function hasEndedInVain(state: TaskState): boolean {
  const ending = state.status === 'expired' ? state.last : state.status;
  return ending === 'canceled' || ending === 'failed';
}

/** Carries out a command of an attempt; when nobody knows whether the event landed, the attempt is over. */
export async function executeOrOver(tasks: TaskStreams, taskId: string, command: TaskCommand): ReturnType<TaskStreams['execute']> {
  try {
    return await tasks.execute(taskId, command);
  } catch (cause) {
    if (cause instanceof AppendUnknownError || cause instanceof ProjectionLaggingError) throw new AttemptOverError('log', { cause });
    throw cause;
  }
}
