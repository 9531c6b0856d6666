import { setTimeout as wait } from 'node:timers/promises';
import { AcceptedRecord } from '../accepted-record.ts';
import { decodeCanonical, hashCanonical } from '../canonical.ts';
import { LogUnavailableError, type AppendOutcome, type EventLog } from '../event-log.ts';
import { hasReached, type Position } from '../position.ts';
import { parseSequence } from '../record.ts';
import { RecordTail } from '../record-tail.ts';
import type { KafkaClient, KafkaLog } from './connect-kafka.ts';
import { Intake } from './intake.ts';
import type { Halt, Judge, Judged, ReadRecord } from './judge.ts';
import { partitionOf } from './partition-of.ts';
import { PendingAppends, placeOf, type PendingAppend } from './pending-appends.ts';
import { messageOf } from './read-message.ts';
import { changed, TopicChangedError, TopicReader } from './topic-reader.ts';
import type { TopicOffsets, TopicRanges } from './topic-offsets.ts';
import type { Sender } from './topic-sender.ts';

/** Appends that may wait at once; more are answered `unknown` at once, since a caller that waits longer is not served either. */
const waitingLimit = 20_000;

/** Records that are sent together at most. */
const batchLimit = 1_000;

/** While a batch is on its way the next one goes when so many wait: more in one request cost a broker hardly more. */
const worthwhileBatch = 16;

/** Batches on their way at once. */
const batchesUnderWayLimit = 4;

/** An append that has not been read back after so long is `unknown`: longer than the brokers need to put another in a dead leader's place. */
export const appendLimitMs = 25_000;

/** Reading up to the topic's end may take so long before whoever asked is told to come back. */
const endLimitMs = 5_000;

/** What waits when the log is closed is given so long. */
const closeLimitMs = 5_000;

/** How often it is looked for appends whose time has come. */
const expireEveryMs = 500;

/** Before the brokers are asked again. */
const retryMs = 1_000;

/** How often the topic's end is looked at although nobody asks. */
const watchEveryMs = 3_000;

/** A reader that gets no further in a partition for so long, although there is more, is replaced: kafkajs may wait for ever for a broker that hangs. */
const stallLimitMs = 6_000;

/** A topic that ends before what was read is another one if it says so for so long. */
const shorterLimitMs = 6_000;

/** What a log in Kafka works with. */
export interface KafkaEventLogDeps {
  /** Makes the client that the topic is read with. */
  readonly connect: () => KafkaClient;
  readonly topic: string;
  readonly partitions: number;
  readonly sender: Sender;
  readonly offsets: TopicOffsets;
  readonly judge: Judge;
  /** See `TopicReaderDeps.skip`. */
  readonly skip: ReadonlySet<string>;
  readonly log: KafkaLog;
  /** The log has ended: the topic is another one, or could not be read for `readerGiveUpMs`. */
  readonly onEnd: (cause: Error) => void;
}

/**
 * The log in a Kafka topic: a record is appended by sending it and reading it back, and whether it was accepted is what the judge says of
 * it where it lies, on every node alike. `read` gives accepted records from memory, and from the projections where a reader is behind.
 */
export class KafkaEventLog implements EventLog {
  readonly #deps: KafkaEventLogDeps;
  readonly #reader: TopicReader;
  readonly #intake: Intake;
  readonly #pending = new PendingAppends();
  readonly #tail: RecordTail;
  /** The last record that was judged in each partition, void ones too. */
  readonly #judged = new Map<number, bigint>();
  readonly #halts = new Map<number, Halt>();
  /** Partitions that are behind, and since when they get no further. */
  readonly #stalls = new Map<number, { readonly judged: bigint; readonly sinceMs: number }>();
  readonly #timers: readonly NodeJS.Timeout[];
  #unsent: PendingAppend[] = [];
  #isPumpScheduled = false;
  #batchesUnderWay = 0;
  #accepted: Position;
  #moved = Promise.withResolvers<void>();
  #ranges: TopicRanges = new Map();
  #shorterSinceMs: number | undefined;
  #isClosed = false;

  constructor(deps: KafkaEventLogDeps) {
    this.#deps = deps;
    const { connect, topic, partitions, judge, log, skip } = deps;
    this.#intake = new Intake(judge, (records, judged) => { this.#onJudged(records, judged); }, log);
    this.#accepted = judge.acceptedAtOpen;
    this.#tail = new RecordTail(judge.acceptedAtOpen);
    for (const [partition, { offset }] of judge.places) this.#judged.set(partition, offset);
    this.#reader = new TopicReader({
      connect, topic, partitions, log, skip, places: judge.places,
      take: (records) => this.#intake.take(records),
      onHalt: (halt) => { this.#onHalt(halt); },
      onAnchor: () => { this.#tellMoved(); },
      onJoin: () => {
        this.#tellMoved();
        void this.#look();
      },
      onEnd: (cause) => { this.#end(cause); },
    });
    this.#reader.start();
    this.#timers = [
      setInterval(() => { void this.#look(); }, watchEveryMs),
      setInterval(() => { this.#pending.expire(performance.now(), tooLate); }, expireEveryMs),
    ];
  }

  /** What keeps this log from going on, for the operator: partitions that have halted. */
  get problems(): readonly string[] {
    return [...this.#halts.values()].map(({ partition, message }) => `partition ${partition} of the log has halted: ${message}`);
  }

  /** Partitions that have halted. */
  get haltedCount(): number {
    return this.#halts.size;
  }

  /** Records that the topic holds and this node has not judged yet, as of the last look. */
  get lagRecords(): number {
    let lag = 0n;
    for (const [partition, { high }] of this.#ranges) {
      const behind = high - 1n - (this.#judged.get(partition) ?? -1n);
      if (behind > 0n) lag += behind;
    }
    return Number(lag);
  }

  append(canonical: Uint8Array, signal?: AbortSignal): Promise<AppendOutcome> {
    if (this.#isClosed) return Promise.resolve({ kind: 'unknown', cause: new Error('the log is closed') });
    if (this.#pending.count >= waitingLimit) {
      return Promise.resolve({ kind: 'unknown', cause: new Error(`${waitingLimit} appends wait for Kafka`) });
    }
    const { promise, resolve } = Promise.withResolvers<AppendOutcome>();
    const record = decodeCanonical(canonical);
    const append: PendingAppend = {
      record, hash: hashCanonical(canonical), deadlineMs: performance.now() + appendLimitMs,
      settle: (outcome) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(outcome);
      },
    };
    const onAbort = (): void => { this.#pending.settle(append, { kind: 'unknown', cause: signal?.reason }); };
    this.#pending.add(append);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    else this.#unsent.push(append);
    if (this.#unsent.length >= worthwhileBatch) this.#pump();
    else this.#schedulePump();
    return promise;
  }

  read(from: Position, signal: AbortSignal): AsyncGenerator<readonly AcceptedRecord[]> {
    return this.#tail.read(from, signal, (position, limit) => this.#deps.judge.acceptedAfter(position, limit));
  }

  async end(subject?: string): Promise<Position> {
    const ranges = await this.#ask();
    const asked = subject === undefined ? undefined : partitionOf(subject, this.#deps.partitions);
    const target = new Map([...ranges].filter(([partition]) => asked === undefined || partition === asked).map(([partition, { high }]) => [partition, high - 1n]));
    const limit = AbortSignal.timeout(endLimitMs);
    await this.#reach(target, limit);
    return asked === undefined ? this.#accepted : new Map([...this.#accepted].filter(([partition]) => partition === asked));
  }

  /**
   * Resolves once everything that is in the topic now was judged, but for partitions that have halted, however long that takes;
   * rejects when `signal` aborts. `onProgress` hears now and then how many records are left.
   */
  async catchUp(signal: AbortSignal, onProgress: (left: number) => void): Promise<void> {
    const timer = setInterval(() => { onProgress(this.lagRecords); }, watchEveryMs);
    try {
      const ranges = await this.#askUntilTold(signal);
      // What was read before is not behind until it was seen again: the topic may be another one.
      const isReached = (partition: number, high: bigint): boolean =>
        this.#halts.has(partition) || (high - 1n <= (this.#judged.get(partition) ?? -1n) && this.#reader.isAnchored(partition));
      await this.#until(() => [...ranges].every(([partition, { high }]) => isReached(partition, high)), signal);
    } finally {
      clearInterval(timer);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pump();
    const late = setTimeout(() => { this.#pending.expire(Infinity, new Error('the log was closed')); }, closeLimitMs);
    await this.#pending.idle();
    clearTimeout(late);
    for (const timer of this.#timers) clearInterval(timer);
    this.#tail.close();
    await this.#deps.sender.close();
    this.#deps.offsets.close();
    await Promise.all([this.#intake.close(), this.#reader.stop()]);
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
    while (this.#unsent.length >= (this.#batchesUnderWay === 0 ? 1 : worthwhileBatch) && this.#batchesUnderWay < batchesUnderWayLimit) {
      const batch = this.#unsent.splice(0, batchLimit);
      this.#batchesUnderWay += 1;
      void this.#send(batch).finally(() => {
        this.#batchesUnderWay -= 1;
        this.#pump();
      });
    }
  }

  async #send(batch: readonly PendingAppend[]): Promise<void> {
    try {
      await this.#deps.sender.send(batch.map(({ record }) => messageOf(record, this.#deps.partitions)));
    } catch (cause) {
      for (const append of batch) this.#pending.settle(append, { kind: 'unknown', cause });
    }
  }

  #onJudged(records: readonly ReadRecord[], { verdicts, halts }: Judged): void {
    for (const halt of halts) this.#onHalt(halt);
    const accepted: AcceptedRecord[] = [];
    const position = new Map(this.#accepted);
    records.forEach(({ partition, offset, canonical, isForeign }, index) => {
      const verdict = verdicts[index];
      if (verdict === undefined || verdict.kind === 'withheld') return;
      this.#judged.set(partition, offset);
      if (verdict.kind === 'accepted') {
        const record = AcceptedRecord.fromCanonical(canonical, { partition, offset });
        accepted.push(record);
        position.set(partition, offset);
        if (this.#pending.count > 0) this.#onHead(record, placeOf(partition, offset));
      } else if (this.#pending.count > 0 && isForeign !== true) {
        this.#pending.onHead(decodeCanonical(canonical).headers.ce_subject, verdict.head);
      }
    });
    this.#accepted = position;
    this.#tail.push(accepted);
    this.#tellMoved();
  }

  #onHead(accepted: AcceptedRecord, place: Position): void {
    const { ce_subject: subject, ce_sequence: sequence } = accepted.record.headers;
    if (!this.#pending.isAwaited(subject)) return;
    this.#pending.onHead(subject, { revision: parseSequence(sequence) ?? 0n, hash: accepted.hash }, place);
  }

  #onHalt(halt: Halt): void {
    if (this.#halts.has(halt.partition)) return;
    this.#halts.set(halt.partition, halt);
    this.#reader.halt(halt.partition);
    this.#deps.log.error({ partition: halt.partition, offset: String(halt.offset) }, `${halt.message}. Its partition is read no further. ${haltRemedy}`);
    this.#tellMoved();
  }

  #tellMoved(): void {
    const moved = this.#moved;
    this.#moved = Promise.withResolvers<void>();
    moved.resolve();
  }

  /** Waits until every partition of `target` was judged up to there. */
  async #reach(target: Position, signal: AbortSignal): Promise<void> {
    await this.#until(() => {
      if (hasReached(this.#judged, target)) return true;
      const halted = [...target].find(([partition, offset]) => this.#halts.has(partition) && (this.#judged.get(partition) ?? -1n) < offset);
      if (halted !== undefined) throw new LogUnavailableError(`partition ${halted[0]} of the log has halted: ${this.#halts.get(halted[0])?.message ?? ''}`);
      return false;
    }, signal);
  }

  async #until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => { aborted.resolve(); };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!isSo()) {
        if (signal.aborted) throw new LogUnavailableError('this node did not read up to the end of the log in time');
        if (this.#isClosed) throw new LogUnavailableError('the log is closed');
        await Promise.race([this.#moved.promise, aborted.promise]);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #ask(): Promise<TopicRanges> {
    const ranges = await this.#deps.offsets.ask();
    this.#ranges = ranges;
    return ranges;
  }

  async #askUntilTold(signal: AbortSignal): Promise<TopicRanges> {
    for (;;) {
      try {
        return await this.#ask();
      } catch (cause) {
        if (signal.aborted || this.#isClosed) throw cause;
        this.#deps.log.warn({ err: cause }, 'Kafka is asked again for the end of the log');
        await wait(retryMs);
      }
    }
  }

  /** Sees whether the topic is still the one that was read, and whether it is still being read. */
  async #look(): Promise<void> {
    const { topic, partitions } = this.#deps;
    // What is read while the brokers answer may lie behind the end that they tell.
    const judged = new Map(this.#judged);
    const ranges = await this.#ask().catch(() => undefined);
    if (this.#isClosed) return;
    this.#replaceStalled();
    if (ranges === undefined) return;
    if (ranges.size !== partitions) return this.#end(new TopicChangedError(partitionsRemedy(topic, partitions, ranges.size)));
    const cut = [...ranges].find(([, { low }]) => low > 0n);
    if (cut !== undefined) return this.#end(changed(topic, `it has lost what was before position ${cut[0]}-${cut[1].low}`));
    // Another writer's open transaction hides what comes after it from this question, but not from the reader.
    const shorter = [...ranges].find(([partition, { high }]) => high <= (judged.get(partition) ?? -1n) && !this.#reader.isAnchored(partition));
    const nowMs = performance.now();
    this.#shorterSinceMs = shorter === undefined ? undefined : (this.#shorterSinceMs ?? nowMs);
    if (shorter !== undefined && nowMs - (this.#shorterSinceMs ?? nowMs) >= shorterLimitMs) {
      const [partition, { high }] = shorter;
      return this.#end(changed(topic, `partition ${partition} ends before position ${high}, and this node has read the record at ${judged.get(partition) ?? -1n}`));
    }
  }

  #replaceStalled(): void {
    const nowMs = performance.now();
    for (const [partition, { high }] of this.#ranges) {
      const judged = this.#judged.get(partition) ?? -1n;
      const stall = this.#stalls.get(partition);
      const isBehind = judged < high - 1n && !this.#halts.has(partition) && this.#intake.waitingCount === 0;
      if (!isBehind) this.#stalls.delete(partition);
      else if (stall?.judged !== judged) this.#stalls.set(partition, { judged, sinceMs: nowMs });
      else if (nowMs - stall.sinceMs >= stallLimitMs) {
        this.#stalls.clear();
        return this.#reader.replace(`partition ${partition} gave nothing for ${stallLimitMs / 1_000} s although it holds more`);
      }
    }
  }

  #end(cause: Error): void {
    if (!this.#isClosed) this.#deps.onEnd(cause);
  }
}

const tooLate = new Error(`the record was not read back within ${appendLimitMs / 1_000} s`);

/** What to do about a partition that has halted. */
const haltRemedy = 'A newer version may know it. If it was written by mistake, start every node with its position in kafka-skip.';

function partitionsRemedy(topic: string, expected: number, found: number): string {
  return `The topic ${topic} has ${found} partitions now and had ${expected}: records of a stream would lie in two of them. Put back a topic with ${expected} partitions from a copy.`;
}
