import type { ImageStored, StageCompleted } from '../gen/lehr/v1/event.ts';
import type { TaskResult } from '../gen/lehr/v1/task.ts';
import type { StageRun } from '../stages/stage.ts';

/** What a stage found, for its `StageCompleted`. */
export type Finding = Partial<Omit<StageCompleted, 'attempt' | 'stage' | 'duration'>>;

/** What an attempt hands to `ImageStored`. */
export type StoredImage = Omit<ImageStored, 'attempt'>;

/**
 * One attempt, as the handler of its kind sees it. Every method rejects when the attempt is over for another reason
 * (canceled, replaced, out of time); a handler lets that pass through.
 */
export interface Attempt {
  /** Whose task it is. */
  readonly owner: string;
  /** What stages of earlier attempts found and gave a digest of, in order. */
  readonly recorded: readonly StageCompleted[];
  /** Runs a stage, with its deadline and its progress, and records what it found. */
  stage<Result>(name: string, work: (run: StageRun) => Promise<Result>, found: (result: Result) => Finding): Promise<Result>;
  /** Runs the stage whose end `commit` records. */
  lastStage<Result>(name: string, work: (run: StageRun) => Promise<Result>): Promise<Result>;
  /** Passes the point of no return: the image will exist and the task will succeed. */
  commit(stored: StoredImage): Promise<void>;
  /**
   * Ends a task that makes no image of its own: it has delivered. Rejects when the attempt is over. Where that is so because the task was
   * canceled, or has failed meanwhile, `withdraw` is called before; never where another attempt has taken over, whose success it may be.
   */
  deliver(result: TaskResult, withdraw: () => Promise<void>): Promise<void>;
}

/** Drives one kind of task: a list of stages. */
export type Handler<Spec> = (spec: Spec, attempt: Attempt) => Promise<void>;
