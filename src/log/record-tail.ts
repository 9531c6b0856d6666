import { AcceptedRecord } from './accepted-record.ts';
import { readBatchLimit } from './event-log.ts';
import { hasReached, latest, type Position } from './position.ts';

/** So many of the newest records are kept at least, and at most twice as many: readers that keep up never touch the storage. */
const tailLimit = 512;

/** A record as the storage gives it. */
export interface OlderRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly canonical: Uint8Array;
  /** 64 lower-case hexadecimal digits. */
  readonly hash: string;
}

/** At most `limit` accepted records after `from`, those of each partition in order; none only where there are none. */
export type ReadOlder = (from: Position, limit: number) => readonly (AcceptedRecord | OlderRecord)[];

/**
 * The newest accepted records, in the order in which this process came to know them, for readers who follow the log. What
 * was pushed is in the storage already: readers that are behind are given it from there.
 */
export class RecordTail {
  /** The last record in each partition that is not in the tail any more, or never was. */
  #before: Position;
  #records: AcceptedRecord[] = [];
  /** How many records were pushed before the first one that is kept. */
  #dropped = 0;
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  /** `end`: the last record in each partition when the log was opened. */
  constructor(end: Position) {
    this.#before = end;
  }

  /** The records that came next, those of each partition in order. */
  push(records: readonly AcceptedRecord[]): void {
    if (records.length === 0) return;
    for (const record of records) this.#records.push(record);
    if (this.#records.length > 2 * tailLimit) this.#drop(this.#records.length - tailLimit);
    this.#wake();
  }

  /**
   * Records after `from`, each once, those of each partition in order, in batches of at most `readBatchLimit`; waits for more
   * at the end. Ends when `signal` aborts or the tail is closed. `older` reads the storage, for readers that are behind.
   */
  async *read(from: Position, signal: AbortSignal, older: ReadOlder): AsyncGenerator<readonly AcceptedRecord[]> {
    const at = new Map(from);
    let next = -1;
    let wake = (): void => undefined;
    const onAbort = (): void => { wake(); };
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted && !this.#isClosed) {
        let batch: readonly AcceptedRecord[];
        if (next < this.#dropped && !hasReached(at, this.#before)) {
          batch = readOlder(at, older);
        } else {
          const start = Math.max(next - this.#dropped, 0);
          const kept = this.#records.slice(start, start + readBatchLimit);
          next = this.#dropped + start + kept.length;
          // What the storage gave may be further than what was pushed.
          batch = kept.filter(({ partition, offset }) => offset > (at.get(partition) ?? -1n));
        }
        for (const { partition, offset } of batch) at.set(partition, offset);
        if (batch.length > 0) {
          yield batch;
        } else if (next === this.#dropped + this.#records.length) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            this.#waiting.add(resolve);
          });
          this.#waiting.delete(wake);
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Ends all readers. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #drop(count: number): void {
    const before = new Map<number, bigint>();
    for (const { partition, offset } of this.#records.splice(0, count)) before.set(partition, offset);
    this.#before = latest(this.#before, before);
    this.#dropped += count;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

function readOlder(from: Position, older: ReadOlder): readonly AcceptedRecord[] {
  const records = older(from, readBatchLimit);
  if (records.length === 0) throw new Error('the storage does not hold what the log has accepted');
  return records.map((record) => (record instanceof AcceptedRecord ? record : AcceptedRecord.fromCanonical(record.canonical, record)));
}
