/** The hint that a task wants an attempt. May be lost or doubled without harm. */
export interface Job {
  readonly taskId: string;
  /** The job was looked at and needs no more: whatever came of it is in the log. */
  done(): void;
}

/** Carries jobs to workers. Decides nothing: the fence is the revision that a worker's append must win. */
export interface JobQueue {
  /**
   * Offers a job; one that is waiting already is not doubled. Never blocks: what has no room is dropped and found again by
   * the sweep. Nodes that offer a task for the same `occasion`, such as the same event, make one job.
   */
  offer(taskId: string, occasion?: string): void;
  /** The next job; rejects with the signal's reason when it aborts. */
  take(signal: AbortSignal): Promise<Job>;
}
