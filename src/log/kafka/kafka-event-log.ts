import { setTimeout as wait } from 'node:timers/promises';
import { AcceptedRecord } from '../accepted-record.ts';
import { decodeCanonical, hashCanonical } from '../canonical.ts';
import type { AppendOutcome, EventLog } from '../event-log.ts';
import type { Position } from '../position.ts';
import { parseSequence } from '../record.ts';
import { RecordTail } from '../record-tail.ts';
import { AppendBatches } from './append-batches.ts';
import type { KafkaClient, KafkaLog } from './connect-kafka.ts';
import { Intake } from './intake.ts';
import type { Halt, Judge, Judged, ReadRecord } from './judge.ts';
import { JudgedPlaces } from './judged-places.ts';
import { partitionOf } from './partition-of.ts';
import { PendingAppends, placeOf, type PendingAppend } from './pending-appends.ts';
import { TopicReader } from './topic-reader.ts';
import type { TopicOffsets, TopicRanges } from './topic-offsets.ts';
import type { Sender } from './topic-sender.ts';
import { TopicWatch } from './topic-watch.ts';

/** Appends that may wait at once; more are answered `unknown` at once, since a caller that waits longer is not served either. */
const waitingLimit = 20_000;

/**
 * An append that has not been read back after so long is `unknown`: longer than the brokers need to put another in a dead
 * leader's place.
 */
export const appendLimitMs = 25_000;

/** How often it is looked for appends whose time has come. */
const expireEveryMs = 500;

/** Reading up to the topic's end may take so long before whoever asked is told to come back. */
const endLimitMs = 5_000;

/** What waits when the log is closed is given so long. */
const closeLimitMs = 5_000;

/** Before the brokers are asked again for what they did not tell. */
const retryMs = 1_000;

/** While a node catches up it tells so often how far it is. */
const progressEveryMs = 5_000;

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
 * The log in a Kafka topic: a record is appended by sending it and reading it back, and whether it was accepted is what the
 * judge says of it where it lies, on every node alike. `read` gives accepted records from memory, and from the projections
 * where a reader is behind.
 */
export class KafkaEventLog implements EventLog {
  readonly #deps: KafkaEventLogDeps;
  readonly #places: JudgedPlaces;
  readonly #pending = new PendingAppends();
  readonly #batches: AppendBatches;
  readonly #tail: RecordTail;
  readonly #intake: Intake;
  readonly #reader: TopicReader;
  readonly #watch: TopicWatch;
  readonly #expiry: NodeJS.Timeout;
  #isClosed = false;

  constructor(deps: KafkaEventLogDeps) {
    this.#deps = deps;
    const { judge, log, offsets, sender, topic, partitions } = deps;
    const onEnd = (cause: Error): void => { if (!this.#isClosed) deps.onEnd(cause); };
    this.#places = new JudgedPlaces(new Map([...judge.places].map(([partition, { offset }]) => [partition, offset])), judge.acceptedAtOpen);
    this.#batches = new AppendBatches(sender, this.#pending, partitions);
    this.#tail = new RecordTail(judge.acceptedAtOpen);
    this.#intake = new Intake(judge, (records, judged) => { this.#onJudged(records, judged); }, log);
    this.#reader = new TopicReader({
      connect: deps.connect, topic, partitions, log, skip: deps.skip, places: judge.places, onEnd,
      take: (records) => this.#intake.take(records),
      onHalt: (halt) => { this.#onHalt(halt); },
      onAnchor: () => { this.#places.tell(); },
      onJoin: () => {
        this.#places.tell();
        void this.#watch.look();
      },
    });
    this.#watch = new TopicWatch({
      topic, partitions, offsets, places: this.#places, reader: this.#reader, isIdle: () => this.#intake.isIdle, onEnd,
    });
    this.#expiry = setInterval(() => { this.#pending.expire(performance.now(), tooLate); }, expireEveryMs);
    this.#reader.start();
  }

  /** What keeps this log from going on, for the operator: partitions that have halted. */
  get problems(): readonly string[] {
    return [...this.#places.halts.values()].map(({ partition, message }) => `partition ${partition} of the log has halted: ${message}`);
  }

  /** Partitions that have halted. */
  get haltedCount(): number {
    return this.#places.halts.size;
  }

  /** Records that the topic holds and this node has not judged yet, as of the last look. */
  get lagRecords(): number {
    return this.#watch.lagRecords;
  }

  append(canonical: Uint8Array, signal?: AbortSignal): Promise<AppendOutcome> {
    if (this.#isClosed) return Promise.resolve({ kind: 'unknown', cause: new Error('the log is closed') });
    if (this.#pending.count >= waitingLimit) {
      return Promise.resolve({ kind: 'unknown', cause: new Error(`${waitingLimit} appends wait for Kafka`) });
    }
    const { promise, resolve } = Promise.withResolvers<AppendOutcome>();
    const append: PendingAppend = {
      record: decodeCanonical(canonical), sizeBytes: canonical.length, hash: hashCanonical(canonical),
      deadlineMs: performance.now() + appendLimitMs,
      settle: (outcome) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(outcome);
      },
    };
    const onAbort = (): void => { this.#pending.settle(append, { kind: 'unknown', cause: signal?.reason }); };
    this.#pending.add(append);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    else this.#batches.add(append);
    return promise;
  }

  read(from: Position, signal: AbortSignal): AsyncGenerator<readonly AcceptedRecord[]> {
    return this.#tail.read(from, signal, (position, limit) => this.#deps.judge.acceptedAfter(position, limit));
  }

  async end(subject?: string): Promise<Position> {
    const asked = subject === undefined ? undefined : partitionOf(subject, this.#deps.partitions);
    const isAsked = (partition: number): boolean => asked === undefined || partition === asked;
    const ranges = [...await this.#watch.ask()].filter(([partition]) => isAsked(partition));
    await this.#places.reached(new Map(ranges.map(([partition, { high }]) => [partition, high - 1n])), AbortSignal.timeout(endLimitMs));
    return new Map([...this.#places.accepted].filter(([partition]) => isAsked(partition)));
  }

  /**
   * Resolves once everything that is in the topic now was judged, but for partitions that have halted, however long that takes;
   * rejects when `signal` aborts. `onProgress` hears now and then how many records are left.
   */
  async catchUp(signal: AbortSignal, onProgress: (left: number) => void): Promise<void> {
    const timer = setInterval(() => { onProgress(this.lagRecords); }, progressEveryMs);
    try {
      const told = await this.#askUntilTold(signal);
      const fault = this.#watch.faultOf(told);
      if (fault !== undefined) throw fault;
      const ranges = [...told];
      // What was read before is not behind until it was seen again: the topic may be another one.
      const isReached = (partition: number, high: bigint): boolean =>
        this.#places.halts.has(partition) || (high - 1n <= this.#places.judged(partition) && this.#reader.isAnchored(partition));
      await this.#places.until(() => ranges.every(([partition, { high }]) => isReached(partition, high)), signal);
    } finally {
      clearInterval(timer);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#batches.flush();
    const late = setTimeout(() => { this.#pending.expire(Infinity, new Error('the log was closed')); }, closeLimitMs);
    await this.#pending.idle();
    clearTimeout(late);
    clearInterval(this.#expiry);
    this.#watch.stop();
    this.#tail.close();
    this.#places.close();
    await this.#deps.sender.close();
    this.#deps.offsets.close();
    await Promise.all([this.#intake.close(), this.#reader.stop()]);
  }

  #onJudged(records: readonly ReadRecord[], { verdicts, halts }: Judged): void {
    for (const halt of halts) this.#onHalt(halt);
    const accepted: AcceptedRecord[] = [];
    const judgedAt = new Map<number, bigint>();
    const acceptedAt = new Map(this.#places.accepted);
    records.forEach(({ partition, offset, canonical, isForeign }, index) => {
      const verdict = verdicts[index];
      if (verdict === undefined || verdict.kind === 'withheld') return;
      judgedAt.set(partition, offset);
      if (verdict.kind === 'accepted') {
        const record = AcceptedRecord.fromCanonical(canonical, { partition, offset });
        accepted.push(record);
        acceptedAt.set(partition, offset);
        if (this.#pending.count > 0) this.#onHead(record, placeOf(partition, offset));
      } else if (this.#pending.count > 0 && isForeign !== true) {
        this.#pending.onHead(decodeCanonical(canonical).headers.ce_subject, verdict.head);
      }
    });
    this.#tail.push(accepted);
    this.#places.advance(judgedAt, acceptedAt);
  }

  #onHead(accepted: AcceptedRecord, place: Position): void {
    const { ce_subject: subject, ce_sequence: sequence } = accepted.record.headers;
    if (!this.#pending.isAwaited(subject)) return;
    this.#pending.onHead(subject, { revision: parseSequence(sequence) ?? 0n, hash: accepted.hash }, place);
  }

  #onHalt(halt: Halt): void {
    if (!this.#places.halt(halt)) return;
    this.#reader.halt(halt.partition);
    const { partition, offset, message } = halt;
    this.#deps.log.error({ partition, offset: String(offset) }, `${message}. Its partition is read no further. ${haltRemedy}`);
  }

  async #askUntilTold(signal: AbortSignal): Promise<TopicRanges> {
    for (;;) {
      try {
        return await this.#watch.ask();
      } catch (cause) {
        if (signal.aborted || this.#isClosed) throw cause;
        this.#deps.log.warn({ err: cause }, 'Kafka is asked again for the end of the log');
        await wait(retryMs);
      }
    }
  }
}

const tooLate = new Error(`the record was not read back within ${appendLimitMs / 1_000} s`);

/** What to do about a partition that has halted. */
const haltRemedy = 'A newer version may know it. If it was written by mistake, start every node with its position in kafka-skip.';
