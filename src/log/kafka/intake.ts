import { setTimeout as wait } from 'node:timers/promises';
import type { KafkaLog } from './connect-kafka.ts';
import type { Judge, Judged, ReadRecord } from './judge.ts';

/** Records that may wait to be judged, and their bytes; whoever reads waits while there are more. */
const waitingLimit = 80_000;
const waitingBytes = 128 * 1_048_576;

/**
 * Records that are judged, and committed, together at most, and their bytes. A node that catches up has so many at a time: of all that
 * happened to a task within a batch its rows are written once.
 */
const batchLimit = 40_000;
const batchBytes = 64 * 1_048_576;

/** What could not be committed (a full disk) is tried again this often. */
const retryMs = 1_000;

/** Brings what was read to the judge, one batch at a time, in order; what comes while one is under way shares the next commit. */
export class Intake {
  readonly #judge: Judge;
  readonly #onJudged: (records: readonly ReadRecord[], judged: Judged) => void;
  readonly #log: KafkaLog;
  #waiting: ReadRecord[] = [];
  #waitingBytes = 0;
  #room = Promise.withResolvers<void>();
  #run: Promise<void> | undefined;
  #isClosed = false;

  constructor(judge: Judge, onJudged: (records: readonly ReadRecord[], judged: Judged) => void, log: KafkaLog) {
    this.#judge = judge;
    this.#onJudged = onJudged;
    this.#log = log;
  }

  /** Whether nothing waits to be judged, nor is being judged. */
  get isIdle(): boolean {
    return this.#run === undefined;
  }

  /** Takes records of one partition, in order. A promise: there is room for more once it resolves. */
  take(records: readonly ReadRecord[]): Promise<void> | undefined {
    if (this.#isClosed) return undefined;
    for (const record of records) {
      this.#waiting.push(record);
      this.#waitingBytes += record.canonical.length;
    }
    this.#start();
    return this.#isFull() ? this.#roomForMore() : undefined;
  }

  #start(): void {
    this.#run ??= this.#judgeAll().finally(() => {
      this.#run = undefined;
      // It may have come when the last batch was judged already.
      if (this.#waiting.length > 0 && !this.#isClosed) this.#start();
    });
  }

  async #roomForMore(): Promise<void> {
    while (this.#isFull() && !this.#isClosed) await this.#room.promise;
  }

  #isFull(): boolean {
    return this.#waiting.length > waitingLimit || this.#waitingBytes > waitingBytes;
  }

  /** Forgets what waits, and resolves once nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#makeRoom();
    await this.#run;
  }

  async #judgeAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const batch = this.#takeBatch();
      const judged = await this.#judgeBatch(batch);
      if (judged !== undefined) this.#onJudged(batch, judged);
      if (!this.#isFull()) this.#makeRoom();
    }
  }

  #takeBatch(): readonly ReadRecord[] {
    let bytes = 0;
    const tooMany = this.#waiting.findIndex(({ canonical }, index) => {
      const isTooMuch = index === batchLimit || (index > 0 && bytes + canonical.length > batchBytes);
      if (!isTooMuch) bytes += canonical.length;
      return isTooMuch;
    });
    const batch = tooMany === -1 ? this.#waiting : this.#waiting.slice(0, tooMany);
    this.#waiting = tooMany === -1 ? [] : this.#waiting.slice(tooMany);
    this.#waitingBytes -= bytes;
    return batch;
  }

  async #judgeBatch(batch: readonly ReadRecord[]): Promise<Judged | undefined> {
    for (;;) {
      try {
        return await this.#judge.judge(batch);
      } catch (cause) {
        if (this.#isClosed) return undefined;
        this.#log.warn({ err: cause, records: batch.length }, 'what was read of the log could not be stored here; it is tried again');
        await wait(retryMs);
      }
    }
  }

  #makeRoom(): void {
    const room = this.#room;
    this.#room = Promise.withResolvers<void>();
    room.resolve();
  }
}
