import type { ImageStored, StageCompleted } from '../../gen/lehr/v1/event.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import type { TaskResult, TaskSpec } from '../../gen/lehr/v1/task.ts';

/** What every task that exists has, whatever its status. */
export interface TaskFacts {
  readonly id: string;
  readonly owner: string;
  readonly spec: TaskSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly ttlMs: number;
  readonly requestId: string;
  readonly fingerprint: Buffer;
  /** Number of events on the stream. */
  readonly revision: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
  /** Number of the newest attempt; 0: none yet. */
  readonly attempt: number;
  /** When the first attempt started. */
  readonly startTime: Date | undefined;
  /** Attempts that ended with a failure. */
  readonly failedAttempts: number;
  /** Attempts that died with their node. */
  readonly lostAttempts: number;
  /** What stages of all attempts found and gave a digest of, in order, each stage and digest once. */
  readonly recorded: readonly StageCompleted[];
}

/** No event yet. */
export interface AbsentTask {
  readonly status: 'absent';
}

/** Waits for an attempt: the first one, or, with `retryTime`, another one after `failure`. */
export interface PendingTask extends TaskFacts {
  readonly status: 'pending';
  readonly retryTime: Date | undefined;
  readonly failure: Failure | undefined;
}

/** An attempt runs, in the life `incarnation` of `node`. */
export interface RunningTask extends TaskFacts {
  readonly status: 'running';
  readonly node: string;
  readonly incarnation: string;
  readonly cancelRequested: boolean;
  /** When the stage that runs now began: the time of the attempt's newest event. */
  readonly stageTime: Date;
  /** What the stages of this attempt found, in order. */
  readonly completed: readonly StageCompleted[];
}

/** Past the point of no return: the image will exist and the task will succeed. */
export interface CommittedTask extends TaskFacts {
  readonly status: 'committed';
  readonly stored: ImageStored;
  readonly storedTime: Date;
}

interface Ended extends TaskFacts {
  readonly endTime: Date;
  readonly expireTime: Date;
}

export interface SucceededTask extends Ended {
  readonly status: 'succeeded';
  readonly result: TaskResult;
  /** The file that the task's image was stored in; undefined where it made none (export). */
  readonly stored: ImageStored | undefined;
}

export interface FailedTask extends Ended {
  readonly status: 'failed';
  readonly failure: Failure;
}

export interface CanceledTask extends Ended {
  readonly status: 'canceled';
}

/** Past its expire time; `last` is how it ended. */
export interface ExpiredTask extends Ended {
  readonly status: 'expired';
  readonly last: 'succeeded' | 'failed' | 'canceled';
}

/** A task: a different shape for each status, so that no status has fields that mean nothing in it. */
export type TaskState =
  | AbsentTask
  | PendingTask
  | RunningTask
  | CommittedTask
  | SucceededTask
  | FailedTask
  | CanceledTask
  | ExpiredTask;

/** A task that exists or existed. */
export type ExistingTask = Exclude<TaskState, AbsentTask>;

export const absentTask: AbsentTask = { status: 'absent' };
