import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { projections } from '../../projections/all.ts';
import { historyQueries, type HistoryQueries } from '../../projections/history/queries.ts';
import type { Judge, ReadPlace } from '../log/kafka/judge.ts';
import { startPosition, type Position } from '../log/position.ts';
import { AppliedPosition } from './applied-position.ts';
import { openProjectionsForReading } from './open-projections.ts';
import { packRecords } from './packed-records.ts';
import { unpackVerdicts } from './packed-verdicts.ts';
import type { ProjectionSettings } from './projection.ts';
import type { AppliedPlace } from './projector.ts';
import type { FromReplica, ToReplica } from './replica-messages.ts';
import { ThreadCalls } from './thread-calls.ts';

/** The replica thread, which judges the records of a log that is elsewhere, and how far it is. */
export interface Replica extends Judge {
  /** The folder of the projections. */
  readonly projectionsFolder: string;
  /** What was read and applied; advances with each batch that was committed. */
  readonly applied: AppliedPosition;
  /** Whether the projections are still being built: nothing can be read of them before `caughtUp`. */
  readonly isBuilding: boolean;
  /** Records of types that this version does not know, since it started. */
  readonly unknownTypes: number;
  /** Why the last batch could not be committed; undefined where it was. */
  readonly lagging: string | undefined;
  /**
   * To be called when everything that was in the log at the start was judged: projections that were being built are put in
   * their place and can be read when it resolves. Does nothing where they existed.
   */
  caughtUp(): Promise<void>;
  /** Closes the files and ends the thread. */
  close(): Promise<void>;
}

/** The young generation of the replica thread's heap. */
const youngHeapMiB = 16;

/**
 * Starts the replica thread on a data folder that the caller has locked. Rejects where the projections cannot be opened;
 * `onDeath` is called then, and when the thread dies later: nothing can be judged any more.
 */
export async function openReplica(folder: string, settings: ProjectionSettings, onDeath: (cause: Error) => void): Promise<Replica> {
  const opened = Promise.withResolvers<FromReplica & { readonly kind: 'opened' }>();
  const onMessage = (message: FromReplica): void => {
    switch (message.kind) {
      case 'opened':
        opened.resolve(message);
        return;
      case 'failed':
        calls.end(new Error(message.message));
        return;
      case 'judged':
      case 'refused':
      case 'caughtUp':
      case 'closed':
        calls.answer(message);
        return;
      default:
        message satisfies never;
    }
  };
  const onEnd = (cause: Error, isClosing: boolean): void => {
    opened.reject(cause);
    if (!isClosing) onDeath(cause);
  };
  const calls = new ThreadCalls<ToReplica, FromReplica>({
    name: 'replica-thread',
    workerData: { folder, settings },
    resourceLimits: { maxYoungGenerationSizeMb: youngHeapMiB },
  }, { onMessage, onEnd });
  const { isBuilding, places } = await opened.promise;
  try {
    return new ThreadReplica(calls, join(folder, 'projections'), places, isBuilding);
  } catch (cause) {
    await calls.close({ kind: 'close' });
    throw cause;
  }
}

class ThreadReplica implements Replica {
  readonly projectionsFolder: string;
  readonly applied: AppliedPosition;
  readonly acceptedAtOpen: Position;
  readonly #calls: ThreadCalls<ToReplica, FromReplica>;
  readonly #places = new Map<number, ReadPlace>();
  #reading: { readonly db: Database; readonly history: HistoryQueries } | undefined;
  #unknownTypes = 0;
  #lagging: string | undefined;
  #isJudging = false;

  constructor(calls: ThreadCalls<ToReplica, FromReplica>, projectionsFolder: string, places: readonly AppliedPlace[], isBuilding: boolean) {
    this.#calls = calls;
    this.projectionsFolder = projectionsFolder;
    this.applied = new AppliedPosition(startPosition);
    this.#advance(places);
    this.#reading = isBuilding ? undefined : this.#openForReading();
    this.acceptedAtOpen = this.#reading?.history.lastAccepted() ?? startPosition;
  }

  get isBuilding(): boolean {
    return this.#reading === undefined;
  }

  get places(): ReadonlyMap<number, ReadPlace> {
    return this.#places;
  }

  get unknownTypes(): number {
    return this.#unknownTypes;
  }

  get lagging(): string | undefined {
    return this.#lagging;
  }

  async judge(records: Parameters<Judge['judge']>[0]): ReturnType<Judge['judge']> {
    // A batch that came behind one that is refused would leave a gap.
    if (this.#isJudging) throw new Error('a batch is being judged already');
    this.#isJudging = true;
    try {
      const packed = packRecords(records);
      const answer = await this.#calls.ask({ kind: 'judge', packed }, [packed.canonical.bytes]);
      if (answer.kind !== 'judged') throw this.#refused(answer);
      this.#lagging = undefined;
      this.#unknownTypes += answer.unknownTypes;
      this.#advance(answer.places);
      return { verdicts: unpackVerdicts(answer.verdicts), halts: answer.halts };
    } finally {
      this.#isJudging = false;
    }
  }

  acceptedAfter(from: Position, limit: number): ReturnType<Judge['acceptedAfter']> {
    if (this.#reading === undefined) throw new Error('the projections are still being built');
    return this.#reading.history.acceptedAfter(from, limit).map(({ partition, offset, canonical, hash }) => ({
      partition, offset: BigInt(offset), canonical, hash,
    }));
  }

  async caughtUp(): Promise<void> {
    if (this.#reading !== undefined) return;
    await this.#calls.ask({ kind: 'catchUp' });
    this.#reading ??= this.#openForReading();
  }

  async close(): Promise<void> {
    this.#reading?.db.close();
    await this.#calls.close({ kind: 'close' });
  }

  #refused(answer: FromReplica): Error {
    const problem = answer.kind === 'refused' ? answer.message : `the replica thread answered ${answer.kind}`;
    this.#lagging = problem;
    return new Error(`the projections could not be written: ${problem}`);
  }

  #advance(places: readonly AppliedPlace[]): void {
    if (places.length === 0) return;
    for (const { partition, offset, hash } of places) this.#places.set(partition, { offset: BigInt(offset), hash });
    this.applied.advance(new Map([...this.#places].map(([partition, { offset }]) => [partition, offset])));
  }

  #openForReading(): { readonly db: Database; readonly history: HistoryQueries } {
    const db = openProjectionsForReading(this.projectionsFolder, projections);
    return { db, history: historyQueries(db) };
  }
}
