import type { ImageStored, StageCompleted } from '../../gen/lehr/v1/event.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import type { TaskResult, TaskSpec } from '../../gen/lehr/v1/task.ts';
import type { Duration } from '../../gen/google/protobuf/duration.ts';
import type { Payload } from '../decision.ts';

/** The events of a task's stream. */
export type TaskPayload = Extract<
  Payload,
  {
    $case:
      | 'taskCreated'
      | 'attemptStarted'
      | 'stageCompleted'
      | 'imageStored'
      | 'attemptFailed'
      | 'cancelRequested'
      | 'taskSucceeded'
      | 'taskFailed'
      | 'taskCanceled'
      | 'taskExpired';
  }
>;

interface At {
  /** The decider's clock. */
  readonly now: Date;
}

/** Accept a task. `fingerprint` is SHA-256 over what was asked for. */
export interface CreateTask extends At {
  readonly type: 'createTask';
  readonly id: string;
  readonly owner: string;
  readonly spec: TaskSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly ttl: Duration;
  readonly requestId: string;
  readonly fingerprint: Buffer;
}

/** Take the task and run it. `runnerIsDead` says whether the incarnation that runs it now may be replaced (design rule 8). */
export interface StartAttempt extends At {
  readonly type: 'startAttempt';
  readonly node: string;
  readonly incarnation: string;
  readonly runnerIsDead: boolean;
}

/** A stage of the attempt ended well. */
export interface CompleteStage extends At {
  readonly type: 'completeStage';
  readonly found: StageCompleted;
}

/** The bytes are durable and in place. */
export interface StoreImage extends At {
  readonly type: 'storeImage';
  readonly stored: ImageStored;
}

/** The attempt failed. `attemptLimit` is how many may. */
export interface FailAttempt extends At {
  readonly type: 'failAttempt';
  readonly attempt: number;
  readonly failure: Failure;
  readonly attemptLimit: number;
}

/** The attempt did not end its stage in time: any node may say so. */
export interface ExpireAttempt extends At {
  readonly type: 'expireAttempt';
  readonly stageTimeoutMs: number;
  readonly attemptLimit: number;
}

/** Somebody wants the task to stop. */
export interface RequestCancel extends At {
  readonly type: 'requestCancel';
}

/** The attempt has stopped because a cancel was requested. */
export interface ConfirmCancel extends At {
  readonly type: 'confirmCancel';
  readonly attempt: number;
}

/** The image of a committed task is registered: the task is done. */
export interface SucceedTask extends At {
  readonly type: 'succeedTask';
}

/** An attempt that makes no image (an export) has done its work. */
export interface DeliverResult extends At {
  readonly type: 'deliverResult';
  readonly attempt: number;
  readonly result: TaskResult;
}

/** The task's time in the lists is over. */
export interface ExpireTask extends At {
  readonly type: 'expireTask';
}

/** Everything that can be asked of a task. */
export type TaskCommand =
  | CreateTask
  | StartAttempt
  | CompleteStage
  | StoreImage
  | FailAttempt
  | ExpireAttempt
  | RequestCancel
  | ConfirmCancel
  | SucceedTask
  | DeliverResult
  | ExpireTask;
