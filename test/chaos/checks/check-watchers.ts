import { setTimeout as sleep } from 'node:timers/promises';

import type { Ledger } from '../ledger.ts';
import type { Watcher } from '../load/watcher.ts';
import { describeEvents } from './describe-events.ts';
import type { ReadLog } from './read-log.ts';

/** What has happened is told to those who watch after so long. */
const watchLimitMs = 15_000;

const lookEveryMs = 100;

/** So many of those that were missed are told. */
const toldTasks = 10;

/**
 * Every watch has told of the end of each task that was acknowledged, however often it had to be resumed. Only a task that has
 * expired may have passed it by: one whose whole life falls into a pause of the node was never there to be told of.
 */
export async function checkWatchers(ledger: Ledger, watchers: readonly Watcher[], log: ReadLog, ids: readonly string[]): Promise<void> {
  const missing = (watcher: Watcher): readonly string[] => ids.filter((id) => !watcher.ends.has(id));
  const hasExpired = (id: string): boolean => log.get(`tasks/${id}`)?.at(-1)?.payload?.$case === 'taskExpired';
  for (const endMs = performance.now() + watchLimitMs; performance.now() < endMs; await sleep(lookEveryMs)) {
    if (watchers.every((watcher) => missing(watcher).every(hasExpired))) break;
  }
  for (const watcher of watchers) {
    const untold = missing(watcher);
    const missed = untold.filter((id) => !hasExpired(id));
    ledger.count('end of a task told by a watch', ids.length - untold.length);
    ledger.count('expired task that passed a watch by', untold.length - missed.length);
    if (missed.length === 0) continue;
    ledger.violate('every watch tells of the end of every task', `the watch of ${watcher.name} missed ${missed.length}`, [
      ...watcher.diary, ...missed.slice(0, toldTasks).flatMap((id) => [`tasks/${id}:`, ...describeEvents(log.get(`tasks/${id}`) ?? [])]),
    ]);
  }
}
