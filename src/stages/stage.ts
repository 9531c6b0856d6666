/** One run of one stage, for one attempt of one task. */
export interface StageRun {
  readonly taskId: string;
  /** 1, 2, 3 … */
  readonly attempt: number;
  /** When it aborts the stage stops at once and rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Says how far the stage is; `bytesTotal` 0: unknown. Called as often as bytes come, so it has to be cheap and must not throw. */
  progress(bytesDone: number, bytesTotal: number): void;
}

/** Stops a stage from outside: the reason of its signal. */
export class StageStoppedError extends Error {
  /** Whether a later attempt may go on with what this one has staged. */
  readonly keepsStaged: boolean;

  constructor(message: string, keepsStaged: boolean, options?: ErrorOptions) {
    super(message, options);
    this.keepsStaged = keepsStaged;
  }
}
