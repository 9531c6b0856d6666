import { setTimeout as wait } from 'node:timers/promises';

/** Calls that may be open at once; beyond that none is begun, and the load is less than was asked for. */
const openLimit = 10_000;

/** How often it is looked whether calls are due. */
const tickMs = 5;

/**
 * Begins `perSecond` calls a second, however long they take, until `signal` aborts; resolves when all have ended. Rejects as soon
 * as one does.
 */
export async function openLoop(perSecond: number, call: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  const open = new Set<Promise<unknown>>();
  const failed = Promise.withResolvers<never>();
  const started = performance.now();
  let begun = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) / 1_000) * perSecond);
    for (; begun < due; begun += 1) {
      if (open.size >= openLimit) continue;
      const called: Promise<unknown> = call().catch(failed.reject).finally(() => open.delete(called));
      open.add(called);
    }
    await Promise.race([wait(tickMs), failed.promise]);
  }
  await Promise.race([Promise.all(open), failed.promise]);
}
