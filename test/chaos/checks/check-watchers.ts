import { setTimeout as sleep } from 'node:timers/promises';

import type { Ledger } from '../ledger.ts';
import type { Watcher } from '../load/watcher.ts';

/** What has happened is told to those who watch after so long. */
const watchLimitMs = 15_000;

const lookEveryMs = 100;

/** Every watch has told of the end of each task that was acknowledged, however often it had to be resumed. */
export async function checkWatchers(ledger: Ledger, watchers: readonly Watcher[], ids: readonly string[]): Promise<void> {
  const missing = (watcher: Watcher): readonly string[] => ids.filter((id) => !watcher.ends.has(id));
  for (const endMs = performance.now() + watchLimitMs; performance.now() < endMs; await sleep(lookEveryMs)) {
    if (watchers.every((watcher) => missing(watcher).length === 0)) break;
  }
  for (const watcher of watchers) {
    const missed = missing(watcher);
    ledger.count('end of a task seen by a watch', ids.length - missed.length);
    if (missed.length > 0) ledger.violate('every watch tells of the end of every task', `the watch of ${watcher.name} missed ${missed.length}`, missed.slice(0, 20));
  }
}
