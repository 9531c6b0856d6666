/** Attempts that may be lost together with the node that ran them, before the task gives up. */
export const lostAttemptLimit = 20;

/** The wait before the second attempt; it doubles with each failure. */
export const firstRetryDelayMs = 1_000;

/** The wait never grows beyond this. */
export const longestRetryDelayMs = 15_000;

/**
 * How long after the start of the running stage's `stage-timeout` any node may declare the attempt dead: the worker
 * itself stops at `stage-timeout`, so this is for a worker that hangs.
 */
export const overdueGraceMs = 60_000;

/** The wait before the attempt that follows `failedAttempts` failures (at least 1): 1 s, 2 s, 4 s, 8 s, 15 s, 15 s … */
export function retryDelayMs(failedAttempts: number): number {
  return Math.min(firstRetryDelayMs * 2 ** Math.min(failedAttempts - 1, 30), longestRetryDelayMs);
}
