import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { isRefusal, unreadable } from './audit-ranges.ts';
import { kafkaProblem, type KafkaLog } from '../connect-kafka.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { beatUntil, letGo, loneConsumer } from '../lone-consumer.ts';
import type { PartitionRange, TopicRanges } from '../topic-offsets.ts';

/** What a reader of an audit works with. */
export interface AuditReaderDeps {
  readonly kafka: Kafka;
  readonly settings: KafkaSettings;
  readonly log: KafkaLog;
  /** What to read of each partition of the topic; of one that is not asked for an empty range. */
  readonly ranges: TopicRanges;
  /** Takes messages of one partition, in order, and at once; resolves when there is room for more. */
  readonly take: (partition: number, messages: readonly KafkaMessage[]) => Promise<void>;
}

/** A consumer that brings nothing for so long, although there is more and room for it, is replaced. */
const silenceLimitMs = 30_000;
const lookForSilenceMs = 1_000;

/** Consumers in a row that brought nothing; then the reading is given up: after about 30 s where nobody answers. */
const fruitlessLimit = 8;

/** Between two consumers. */
const replaceWaitMs = 1_000;

/** What the brokers may send at a time. */
const fetchBytes = 4_194_304;

interface Progress extends PartitionRange {
  /** The offset to read next. */
  next: bigint;
  /** The offset before which something is missing, which was asked about once more. */
  gapAt: bigint | undefined;
}

/**
 * Reads given ranges of the topic once, every message, and is done. kafkajs knows no reading without a group, so it is alone in a
 * group of its own, commits nothing, and leads kafkajs by its own positions; a consumer that fails or falls silent is replaced.
 */
export class AuditReader {
  readonly #deps: AuditReaderDeps;
  readonly #left = new Map<number, Progress>();
  #consumer: Consumer | undefined;
  #ended = Promise.withResolvers<unknown>();
  #lastHeardMs = performance.now();
  #isTaking = false;
  /** Batches that were read. */
  #batches = 0;

  constructor(deps: AuditReaderDeps) {
    this.#deps = deps;
    for (const [partition, range] of deps.ranges) {
      if (range.low < range.high) this.#left.set(partition, { ...range, next: range.low, gapAt: undefined });
    }
  }

  /** Resolves once everything was taken. Rejects with `TopicUnreadableError`, or with the reason of `signal`. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => { this.#ended.resolve(undefined); };
    signal.addEventListener('abort', onAbort);
    try {
      for (let fruitless = 0; ;) {
        signal.throwIfAborted();
        if (this.#isDone()) return;
        const before = this.#batches;
        const cause = await this.#readWith(signal);
        signal.throwIfAborted();
        if (this.#isDone()) return;
        fruitless = this.#batches > before ? 0 : fruitless + 1;
        if (isRefusal(cause) || fruitless === fruitlessLimit) throw unreadable(this.#deps.settings, cause);
        this.#deps.log.warn({ problem: kafkaProblem(cause) }, 'Kafka is read by a fresh consumer');
        await wait(replaceWaitMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #isDone(): boolean {
    return this.#left.size === 0;
  }

  /** One life of a consumer; resolves with what ended it. */
  async #readWith(signal: AbortSignal): Promise<unknown> {
    const { kafka, settings: { topic } } = this.#deps;
    this.#ended = Promise.withResolvers<unknown>();
    if (signal.aborted) return undefined;
    const consumer = loneConsumer(kafka, { groupId: `${topic}.audit.${randomUUID()}`, maxBytes: fetchBytes, retries: 5 });
    this.#consumer = consumer;
    this.#lastHeardMs = performance.now();
    consumer.on(consumer.events.CRASH, ({ payload: { error } }) => { this.#ended.resolve(error); });
    consumer.on(consumer.events.GROUP_JOIN, () => { this.#place(consumer); });
    // What a transaction leaves behind holds no messages, and is told of here alone.
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload: { partition, batchSize, firstOffset, lastOffset } }) => {
      const first = firstOffset as string | null;
      if (batchSize === 0 && first !== null) this.#pass(consumer, partition, BigInt(first), BigInt(lastOffset) + 1n);
    });
    const silence = setInterval(() => {
      if (this.#isTaking || performance.now() - this.#lastHeardMs < silenceLimitMs) return;
      this.#ended.resolve(new Error(`nothing came for ${silenceLimitMs / 1_000} s`));
    }, lookForSilenceMs);
    try {
      await Promise.race([this.#start(consumer), this.#ended.promise]);
    } catch (cause) {
      this.#ended.resolve(cause);
    }
    const cause = await this.#ended.promise;
    clearInterval(silence);
    this.#consumer = undefined;
    await letGo(consumer);
    return cause;
  }

  async #start(consumer: Consumer): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topics: [this.#deps.settings.topic], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: (payload) => this.#onBatch(consumer, payload) });
  }

  /** Leads a consumer that has joined to where reading goes on, and away from what is not asked for. */
  #place(consumer: Consumer): void {
    const { settings: { topic }, ranges } = this.#deps;
    for (const partition of ranges.keys()) {
      const progress = this.#left.get(partition);
      if (progress === undefined) consumer.pause([{ topic, partitions: [partition] }]);
      else consumer.seek({ topic, partition, offset: String(progress.next) });
    }
  }

  async #onBatch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const progress = this.#left.get(batch.partition);
    const first = batch.firstOffset();
    if (consumer !== this.#consumer || progress === undefined || first === null || !payload.isRunning() || payload.isStale()) return;
    if (!this.#follows(consumer, batch.partition, progress, BigInt(first))) return;
    const messages = batch.messages.filter(({ offset }) => BigInt(offset) >= progress.next && BigInt(offset) < progress.high);
    const taken = this.#deps.take(batch.partition, messages);
    this.#pass(consumer, batch.partition, BigInt(first), BigInt(batch.lastOffset()) + 1n);
    this.#isTaking = true;
    try {
      await beatUntil(Promise.race([taken, this.#ended.promise]), () => payload.heartbeat());
    } finally {
      this.#isTaking = false;
      this.#lastHeardMs = performance.now();
    }
  }

  /** Whether what begins at `first` comes next. Where something is missing before it, asking once more tells whether that is so. */
  #follows(consumer: Consumer, partition: number, progress: Progress, first: bigint): boolean {
    if (first <= progress.next || first === progress.gapAt) return true;
    progress.gapAt = first;
    consumer.seek({ topic: this.#deps.settings.topic, partition, offset: String(progress.next) });
    return false;
  }

  /** Reading goes on at `next`. */
  #pass(consumer: Consumer, partition: number, first: bigint, next: bigint): void {
    const progress = this.#left.get(partition);
    if (consumer !== this.#consumer || progress === undefined || (first > progress.next && first !== progress.gapAt)) return;
    this.#lastHeardMs = performance.now();
    this.#batches += 1;
    if (next > progress.next) progress.next = next;
    if (progress.next < progress.high) return;
    this.#left.delete(partition);
    if (this.#isDone()) this.#ended.resolve(undefined);
    else consumer.pause([{ topic: this.#deps.settings.topic, partitions: [partition] }]);
  }
}
