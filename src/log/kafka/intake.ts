import { setTimeout as wait } from 'node:timers/promises';
import type { KafkaLog } from './connect-kafka.ts';
import type { Judge, Judged, ReadRecord } from './judge.ts';

/** Records that may wait to be judged; whoever reads waits while there are more. */
const waitingLimit = 40_000;

/** Records that are judged, and committed, together at most. */
const batchLimit = 5_000;

/** What could not be committed (a full disk) is tried again this often. */
const retryMs = 1_000;

/** Brings what was read to the judge, one batch at a time, in order; what comes while one is under way shares the next commit. */
export class Intake {
  readonly #judge: Judge;
  readonly #onJudged: (records: readonly ReadRecord[], judged: Judged) => void;
  readonly #log: KafkaLog;
  #waiting: ReadRecord[] = [];
  #room = Promise.withResolvers<void>();
  #run: Promise<void> | undefined;
  #isClosed = false;

  constructor(judge: Judge, onJudged: (records: readonly ReadRecord[], judged: Judged) => void, log: KafkaLog) {
    this.#judge = judge;
    this.#onJudged = onJudged;
    this.#log = log;
  }

  /** Records that wait to be judged. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Takes records of one partition, in order. A promise: there is room for more once it resolves. */
  take(records: readonly ReadRecord[]): Promise<void> | undefined {
    if (this.#isClosed) return undefined;
    for (const record of records) this.#waiting.push(record);
    this.#run ??= this.#judgeAll().finally(() => { this.#run = undefined; });
    return this.#waiting.length > waitingLimit ? this.#roomForMore() : undefined;
  }

  async #roomForMore(): Promise<void> {
    const isFull = (): boolean => this.#waiting.length > waitingLimit && !this.#isClosed;
    while (isFull()) await this.#room.promise;
  }

  /** Forgets what waits, and resolves once nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#makeRoom();
    await this.#run;
  }

  async #judgeAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const batch = this.#waiting.slice(0, batchLimit);
      this.#waiting = this.#waiting.length === batch.length ? [] : this.#waiting.slice(batch.length);
      const judged = await this.#judgeBatch(batch);
      if (judged !== undefined) this.#onJudged(batch, judged);
      if (this.#waiting.length <= waitingLimit) this.#makeRoom();
    }
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
