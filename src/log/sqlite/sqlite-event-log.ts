import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { AcceptedRecord } from '../accepted-record.ts';
import type { AppendOutcome, EventLog } from '../event-log.ts';
import { startPosition, type Position } from '../position.ts';
import { RecordTail } from '../record-tail.ts';
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
  readonly #tail: RecordTail;
  #closed = false;

  /** `file` exists already; `end` is the position of its last record. */
  constructor(channel: AppendChannel, file: string, end: number) {
    this.#channel = channel;
    this.#tail = new RecordTail(positionOf(end));
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

  read(from: Position, signal: AbortSignal): AsyncGenerator<readonly AcceptedRecord[]> {
    return this.#tail.read(from, signal, (position, limit) => {
      return this.#after.all(Number(position.get(embeddedPartition) ?? 0n), limit).map(acceptedOf);
    });
  }

  async end(): Promise<Position> {
    return positionOf(await this.#channel.end());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pump();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    this.#tail.close();
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
    this.#tail.push(batch.flatMap(({ canonical }, index) => {
      const position = positions[index] ?? 0;
      return position === 0 ? [] : [AcceptedRecord.fromCanonical(canonical, { partition: embeddedPartition, offset: BigInt(position) })];
    }));
  }
}

/** The position of a record; 0: before the first one. */
function positionOf(position: number): Position {
  return position === 0 ? startPosition : new Map([[embeddedPartition, BigInt(position)]]);
}
