import { setTimeout as sleep } from 'node:timers/promises';

import type { Task } from '../../../src/gen/lehr/v1/task.ts';
import type { WatchTasksResponse } from '../../../src/gen/lehr/v1/task_service.ts';
import { hasEnded } from '../../acceptance/harness/tasks.ts';
import type { Ledger } from '../ledger.ts';
import type { Door } from './chaos-client.ts';

/** After a watch has ended, the next one is opened after so long. */
const reopenAfterMs = 200;

/** Lines of its diary that a watch keeps. */
const diaryLimit = 100;

/** Watches all tasks from before the first of them on, and goes on where it was when a node dies: on that node, or another one. */
export class Watcher {
  readonly name: string;
  /** Tasks that were seen to have ended, or to be gone, and how. */
  readonly ends = new Map<string, Task['state']>();
  /** Where and from where on it watched, a line each; of a long run the last ones. */
  readonly diary: string[] = [];
  readonly #pick: () => Door | undefined;
  readonly #ledger: Ledger;
  readonly #complete = Promise.withResolvers<void>();
  #resumeToken = '';

  constructor(name: string, pick: () => Door | undefined, ledger: Ledger) {
    this.name = name;
    this.#pick = pick;
    this.#ledger = ledger;
  }

  /** Resolves once the first snapshot is complete: from there on nothing is missed. */
  get begun(): Promise<void> {
    return this.#complete.promise;
  }

  /** Watches until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const door = this.#pick();
      if (door !== undefined) await this.#watch(door, signal);
      await sleep(reopenAfterMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #watch({ name, api }: Door, signal: AbortSignal): Promise<void> {
    const call = api.openWatch({ resumeToken: this.#resumeToken });
    const hangUp = (): void => call.cancel();
    signal.addEventListener('abort', hangUp, { once: true });
    // An error may still come when nobody reads any more.
    call.on('error', () => undefined);
    this.#ledger.count(this.#resumeToken === '' ? 'watch opened' : 'watch resumed');
    this.#note(`watches on ${name} from ${readable(this.#resumeToken)} on`);
    try {
      for await (const message of call) this.#onMessage(message as WatchTasksResponse);
    } catch (error) {
      if (!signal.aborted) this.#note(`broke at ${readable(this.#resumeToken)}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      signal.removeEventListener('abort', hangUp);
      call.cancel();
    }
  }

  #note(line: string): void {
    if (this.diary.length >= diaryLimit) this.diary.shift();
    this.diary.push(`${new Date().toISOString()} ${line}`);
    this.#ledger.note(`the watch of ${this.name} ${line}`);
  }

  #onMessage({ message }: WatchTasksResponse): void {
    switch (message?.$case) {
      case 'snapshot':
      case 'change':
        if (hasEnded(message.value)) this.ends.set(message.value.id, message.value.state);
        return;
      case 'removed':
        // Expired: how it had ended was seen before, or happened while no watch was open.
        if (!this.ends.has(message.value.id)) this.ends.set(message.value.id, 'STATE_EXPIRED');
        return;
      case 'snapshotEnd':
        this.#complete.resolve();
        this.#resumeToken = message.value.resumeToken;
        return;
      case 'bookmark':
        this.#resumeToken = message.value.resumeToken;
        return;
      case 'progress':
      case undefined:
        return;
      default:
        message satisfies never;
    }
  }
}

/** A resume token is base64 of a place in the log and a mark of the filter; only a person who looks for a fault reads it. */
function readable(resumeToken: string): string {
  return resumeToken === '' ? 'the beginning' : Buffer.from(resumeToken, 'base64url').toString('latin1').replace(/~.*/, '');
}
