import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { AcceptedRecord } from '../accepted-record.ts';
import { readBatchLimit, type AppendOutcome, type EventLog } from '../event-log.ts';
import { startPosition, type Position } from '../position.ts';
import type { AppendChannel } from './append-channel.ts';
import { acceptedOf, embeddedPartition, type LogRow } from './log-table.ts';

/** Appends that may wait at once; more are answered `unknown` at once, since a caller that waits longer is not served either. */
const waitingLimit = 20_000;

/** Records of one batch at most: bounds the time that a commit takes. */
const batchLimit = 512;

/** While a batch is on its way the next one follows only once it has so many records: a commit costs about as much as 20. */
const worthwhileBatch = 16;

/** Batches that may be on their way at once, so that the thread has the next one at hand when it is done with one. */
const batchesUnderWayLimit = 4;

/** The newest records are kept in memory, so that readers who keep up never touch the file. */
const tailLimit = 512;

interface Waiting {
  readonly canonical: Uint8Array;
  readonly settle: (outcome: AppendOutcome) => void;
}

/**
 * The embedded log, seen from the main thread: appends go through `channel` to the thread that owns the file, in batches
 * that form while the one before is being made durable (group commit); reads are its own, from the same file.
 */
export class SqliteEventLog implements EventLog {
  readonly #channel: AppendChannel;
  readonly #db: Database;
  readonly #after: Statement<[number, number], LogRow>;
  #waiting: Waiting[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #isPumpScheduled = false;
  #tail: AcceptedRecord[] = [];
  #end: number;
  #wake = Promise.withResolvers<void>();
  #closed = false;

  /** `file` exists already; `end` is the position of its last record. */
  constructor(channel: AppendChannel, file: string, end: number) {
    this.#channel = channel;
    this.#end = end;
    this.#db = new Sqlite(file, { readonly: true, fileMustExist: true });
    this.#after = this.#db.prepare('SELECT * FROM log WHERE position > ? ORDER BY position LIMIT ?');
  }

  append(canonical: Uint8Array, signal?: AbortSignal): Promise<AppendOutcome> {
    if (this.#closed || this.#waiting.length >= waitingLimit || signal?.aborted === true) {
      const cause = signal?.aborted === true ? signal.reason as unknown : new Error(this.#closed ? 'the log is closed' : 'too many appends are waiting');
      return Promise.resolve({ kind: 'unknown', cause });
    }
    const { promise, resolve } = Promise.withResolvers<AppendOutcome>();
    this.#waiting.push({ canonical, settle: resolve });
    // A batch that is worth its commit does not wait for the end of the turn: the thread works while this one goes on.
    if (this.#waiting.length >= worthwhileBatch) this.#pump();
    else this.#schedulePump();
    return promise;
  }

  async *read(from: Position, signal: AbortSignal): AsyncGenerator<readonly AcceptedRecord[]> {
    let at = Number(from.get(embeddedPartition) ?? 0n);
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => { aborted.resolve(); };
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted && !this.#closed) {
        const wake = this.#wake.promise;
        const batch = this.#recordsAfter(at);
        const last = batch.at(-1);
        if (last === undefined) {
          await Promise.race([wake, aborted.promise]);
        } else {
          at = Number(last.offset);
          yield batch;
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async end(): Promise<Position> {
    const end = await this.#channel.end();
    return end === 0 ? startPosition : positionOf(end);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pump();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#wake.resolve();
    this.#db.close();
  }

  /** At the end of the turn: callers whose requests arrived in the same turn of the event loop share a batch. */
  #schedulePump(): void {
    if (this.#isPumpScheduled) return;
    this.#isPumpScheduled = true;
    setImmediate(() => {
      this.#isPumpScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#waiting.length >= (this.#underWay.size === 0 ? 1 : worthwhileBatch) && this.#underWay.size < batchesUnderWayLimit) {
      const batch = this.#waiting.splice(0, batchLimit);
      const sent = this.#send(batch).finally(() => {
        this.#underWay.delete(sent);
        this.#pump();
      });
      this.#underWay.add(sent);
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const { positions } = await this.#channel.append(batch.map(({ canonical }) => canonical));
      this.#extendTail(batch, positions);
      batch.forEach(({ settle }, index) => {
        const position = positions[index] ?? 0;
        settle(position === 0 ? { kind: 'superseded' } : { kind: 'accepted', position: positionOf(position) });
      });
    } catch (cause) {
      for (const { settle } of batch) settle({ kind: 'unknown', cause });
    }
  }

  #extendTail(batch: readonly Waiting[], positions: readonly number[]): void {
    batch.forEach(({ canonical }, index) => {
      const position = positions[index] ?? 0;
      if (position === 0) return;
      this.#tail.push(AcceptedRecord.fromCanonical(canonical, { partition: embeddedPartition, offset: BigInt(position) }));
      this.#end = position;
    });
    if (this.#tail.length > 2 * tailLimit) this.#tail = this.#tail.slice(-tailLimit);
    const woken = this.#wake;
    this.#wake = Promise.withResolvers<void>();
    woken.resolve();
  }

  #recordsAfter(position: number): readonly AcceptedRecord[] {
    if (position >= this.#end) return [];
    const first = this.#tail[0];
    if (first === undefined || Number(first.offset) > position + 1) return this.#after.all(position, readBatchLimit).map(acceptedOf);
    const start = position + 1 - Number(first.offset);
    return this.#tail.slice(start, start + readBatchLimit);
  }
}

function positionOf(position: number): Position {
  return new Map([[embeddedPartition, BigInt(position)]]);
}
