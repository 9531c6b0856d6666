import type { Progress } from '../gen/lehr/v1/task.ts';

/** A lossy live message: how far a task's attempt is. `progress` undefined: the attempt is over. */
export interface ProgressSignal {
  readonly taskId: string;
  readonly progress: Progress | undefined;
}

/** Carries lossy live messages to whoever watches. */
export interface Signals {
  publish(signal: ProgressSignal): void;
  /** Adds a listener, which must not throw; the function that it returns removes it. */
  listen(listener: (signal: ProgressSignal) => void): () => void;
}
