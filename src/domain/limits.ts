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

/** A source that says when to come again (Retry-After, RFC 9110 §10.2.3) is believed up to so long. */
export const retryAfterLimitMs = 600_000;

/**
 * The wait before the attempt that follows `failedAttempts` failures (at least 1): 1 s, 2 s, 4 s, 8 s, 15 s, 15 s …, or
 * longer where the source asked for it.
 */
export function retryDelayMs(failedAttempts: number, retryAfterMs: number = 0): number {
  const backOffMs = Math.min(firstRetryDelayMs * 2 ** Math.min(failedAttempts - 1, 30), longestRetryDelayMs);
  return Math.max(backOffMs, Math.min(retryAfterMs, retryAfterLimitMs));
}
