import { setTimeout as wait } from 'node:timers/promises';

/** The first pause before something is tried again; each further one is twice as long. */
export const firstPauseMs = 200;

/** No pause grows beyond this. */
export const longestPauseMs = 2_000;

/** Waits after `tries` tries (at least 1): 0.2 s, 0.4 s, 0.8 s, 1.6 s, 2 s, 2 s … Throws the signal's reason when it aborts. */
export async function pauseBeforeRetry(tries: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(Math.min(firstPauseMs * 2 ** Math.min(tries - 1, 10), longestPauseMs), undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
