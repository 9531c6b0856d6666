import { join } from 'node:path';
import type { AppendChannel, BatchOutcome } from '../log/sqlite/append-channel.ts';
import { embeddedPartition } from '../log/sqlite/log-table.ts';
import { startPosition } from '../log/position.ts';
import { AppliedPosition } from './applied-position.ts';
import { packBatch } from './packed-batch.ts';
import type { ProjectionSettings } from './projection.ts';
import type { FromStorage, ToStorage } from './storage-messages.ts';
import { ThreadCalls } from './thread-calls.ts';

/** The storage thread and how far it is. */
export interface Storage extends AppendChannel {
  /** The log's file. */
  readonly logFile: string;
  /** The folder of the projections. */
  readonly projectionsFolder: string;
  /** The position of the log's last record when it was opened. */
  readonly endAtOpen: number;
  /** What the projections hold. */
  readonly applied: AppliedPosition;
  /** Resolves once the projections have caught up with what was in the log at the start. */
  readonly ready: Promise<void>;
  /** Why the projections lag behind the log; undefined while they do not. */
  readonly lagging: string | undefined;
  /** Records that the log holds and the projections do not yet, as far as was heard. */
  readonly lagRecords: number;
  /** Closes the files and ends the thread. */
  close(): Promise<void>;
}

/** The young generation of the storage thread's heap. */
const youngHeapMiB = 16;

/**
 * Starts the storage thread on a data folder that the caller has locked. Rejects where the log cannot be opened; where it
 * and the projections do not belong together `ready` rejects. `onDeath` is called in either case, and when the thread dies
 * later: nothing can be accepted any more.
 */
export async function openStorage(folder: string, settings: ProjectionSettings, onDeath: (cause: Error) => void): Promise<Storage> {
  const opened = Promise.withResolvers<number>();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  const applied = new AppliedPosition(startPosition);
  let lagging: string | undefined;
  let lagRecords = 0;
  let isReady = false;

  const onMessage = (message: FromStorage): void => {
    if ('applied' in message) {
      lagRecords = message.end - message.applied;
      applied.advance(new Map([[embeddedPartition, BigInt(message.applied)]]));
      if (message.kind === 'lagging') lagging = message.message;
      else if (lagRecords === 0) lagging = undefined;
    }
    switch (message.kind) {
      case 'opened':
        opened.resolve(message.end);
        return;
      case 'ready':
        isReady = true;
        ready.resolve();
        return;
      case 'lagging':
      case 'caughtUp':
        return;
      case 'failed':
        thread.end(new Error(message.message));
        return;
      case 'end':
      case 'appended':
      case 'refused':
      case 'closed':
        thread.answer(message);
        return;
      default:
        message satisfies never;
    }
  };
  const onEnd = (cause: Error, isClosing: boolean): void => {
    opened.reject(cause);
    ready.reject(cause);
    if (!isClosing) onDeath(cause);
  };
  const thread = new ThreadCalls<ToStorage, FromStorage>({
    name: 'storage-thread',
    workerData: { folder, settings },
    // Batches are short-lived: a young generation that is let grow would only be memory.
    resourceLimits: { maxYoungGenerationSizeMb: youngHeapMiB },
  }, { onMessage, onEnd });

  const endAtOpen = await opened.promise;
  return {
    logFile: join(folder, 'log.db'),
    projectionsFolder: join(folder, 'projections'),
    endAtOpen,
    ready: ready.promise,
    applied,
    get lagging() { return lagging; },
    get lagRecords() { return lagRecords; },
    async append(batch): Promise<BatchOutcome> {
      const packed = packBatch(batch);
      const message = await thread.ask({ kind: 'append', packed }, [packed.bytes]);
      if (message.kind === 'appended') return { positions: message.positions };
      throw new Error(`the log could not be written: ${message.kind === 'refused' ? message.message : message.kind}`);
    },
    async end() {
      const message = await thread.ask({ kind: 'end' });
      if (message.kind === 'end') return message.end;
      throw new Error(`the storage thread answered ${message.kind}`);
    },
    // A thread that still catches up hears nothing; what it has not committed is caught up the next time.
    close: () => thread.close(isReady ? { kind: 'close' } : undefined),
  };
}
