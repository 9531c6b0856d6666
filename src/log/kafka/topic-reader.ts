import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { setTimeout as wait } from 'node:timers/promises';
import { hashCanonical } from '../canonical.ts';
import { kafkaProblem, metadataMaxAgeMs, type KafkaClient, type KafkaLog } from './connect-kafka.ts';
import type { Halt, ReadPlace, ReadRecord } from './judge.ts';
import { beatUntil, letGo, loneConsumer } from './lone-consumer.ts';
import { readMessage } from './read-message.ts';

/** What a reader works with. */
export interface TopicReaderDeps {
  readonly connect: () => KafkaClient;
  readonly topic: string;
  readonly partitions: number;
  readonly log: KafkaLog;
  /** The last record that was read in each partition, before this reader. */
  readonly places: ReadonlyMap<number, ReadPlace>;
  /** Positions, `partition-offset`, of messages to pass over although they are no records. */
  readonly skip: ReadonlySet<string>;
  /** Takes records of one partition, in order. A promise: there is room for more once it resolves. */
  readonly take: (records: readonly ReadRecord[]) => Promise<void> | undefined;
  /** A message is no record: its partition is read no further. */
  readonly onHalt: (halt: Halt) => void;
  /** The last record that was read in a partition was seen again. */
  readonly onAnchor: () => void;
  /** A consumer has begun (again) to read: the topic should be looked at. */
  readonly onJoin: () => void;
  /** The reader has ended and cannot go on. */
  readonly onEnd: (cause: Error) => void;
}

/** The topic is not the one that was read before. The message says what to do. */
export class TopicChangedError extends Error {
  override readonly name = 'TopicChangedError';
}

/** A consumer that cannot read for so long is given up, and with it the process: whoever watches it should know. */
export const readerGiveUpMs = 120_000;

/** Between two consumers, doubling from the first to the last. */
const firstWaitMs = 250;
const longestWaitMs = 5_000;

/** A batch that does not follow what was read is asked for again so often before the topic is taken for another. */
const anchorTries = 5;

/** What the brokers may send at a time. */
const fetchBytes = 8_388_608;

interface Partition {
  last: { readonly offset: bigint; readonly hash: () => string } | undefined;
  /** Whether the record at `last` was seen again since the consumer has joined. */
  isAnchored: boolean;
  triesLeft: number;
  /** A gap after `last` that was asked about once more. */
  gapAt: bigint | undefined;
  isHalted: boolean;
}

/**
 * Reads all partitions of the topic in a group of its own, from the last record that was read before: on every join it asks for that record
 * again and compares, since kafkajs would start at the beginning without a word where the topic is another one. A consumer that
 * kafkajs gives up is replaced. What is read again is passed over.
 */
export class TopicReader {
  readonly #deps: TopicReaderDeps;
  readonly #partitions = new Map<number, Partition>();
  #consumer: Consumer | undefined;
  #replace = Promise.withResolvers<unknown>();
  readonly #stopping = Promise.withResolvers<undefined>();
  #run: Promise<void> | undefined;
  #isStopped = false;
  #failingSinceMs: number | undefined;

  constructor(deps: TopicReaderDeps) {
    this.#deps = deps;
    for (let number = 0; number < deps.partitions; number += 1) {
      const place = deps.places.get(number);
      const last = place === undefined ? undefined : { offset: place.offset, hash: () => place.hash };
      this.#partitions.set(number, { last, isAnchored: false, triesLeft: anchorTries, gapAt: undefined, isHalted: false });
    }
  }

  start(): void {
    this.#run ??= this.#keepReading();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopping.resolve(undefined);
    this.#replace.resolve(undefined);
    await this.#run;
  }

  /** Reads this partition no further. */
  halt(partition: number): void {
    this.#partition(partition).isHalted = true;
  }

  /** Whether the last record that was read in the partition was seen again since the consumer has joined: the topic is the one it was. */
  isAnchored(partition: number): boolean {
    return this.#partition(partition).isAnchored;
  }

  /** Replaces the consumer by a fresh one. */
  replace(reason: string): void {
    this.#replace.resolve(new Error(reason));
  }

  async #keepReading(): Promise<void> {
    let waitMs = firstWaitMs;
    const isStopped = (): boolean => this.#isStopped;
    for (let life = 1; !isStopped(); life += 1) {
      const startedMs = performance.now();
      const cause = await this.#readWith(life);
      if (isStopped()) return;
      const nowMs = performance.now();
      this.#failingSinceMs ??= nowMs;
      if (cause instanceof TopicChangedError) return this.#end(cause);
      if (nowMs - this.#failingSinceMs > readerGiveUpMs) {
        const message = `Kafka could not be read for ${readerGiveUpMs / 1_000} s: ${kafkaProblem(cause)}. See that the brokers (kafka-brokers) are up and can be reached, then start again: nothing is lost.`;
        return this.#end(new Error(message, { cause }));
      }
      this.#deps.log.warn({ problem: kafkaProblem(cause), wait_ms: waitMs }, 'Kafka is read by a fresh consumer');
      waitMs = nowMs - startedMs > readerGiveUpMs ? firstWaitMs : Math.min(waitMs * 2, longestWaitMs);
      await Promise.race([wait(waitMs), this.#replace.promise]);
    }
  }

  #end(cause: Error): void {
    this.#isStopped = true;
    this.#deps.onEnd(cause);
  }

  /** One life of a consumer; resolves with what ended it. */
  async #readWith(life: number): Promise<unknown> {
    const { connect, topic } = this.#deps;
    this.#replace = Promise.withResolvers<unknown>();
    if (this.#isStopped) return undefined;
    const { kafka, close } = connect();
    // A group that nobody was in before: there is nothing to wait for.
    const consumer = loneConsumer(kafka, {
      groupId: `${topic}.${process.pid}.${Date.now()}.${life}.${Math.random().toString(36).slice(2, 10)}`,
      maxBytes: fetchBytes,
      metadataMaxAge: metadataMaxAgeMs,
      retries: 8,
    });
    this.#consumer = consumer;
    consumer.on(consumer.events.CRASH, ({ payload: { error } }) => { this.#replace.resolve(error); });
    consumer.on(consumer.events.GROUP_JOIN, () => { this.#onJoin(consumer); });
    const begun = this.#begin(consumer).catch((cause: unknown) => { this.#replace.resolve(cause); });
    // Who stops this reader is not to wait for brokers that hang.
    await Promise.race([begun, this.#stopping.promise]);
    const cause = await this.#replace.promise;
    this.#consumer = undefined;
    await letGo(consumer);
    close();
    return cause;
  }

  async #begin(consumer: Consumer): Promise<void> {
    const { topic, partitions } = this.#deps;
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: partitions,
      eachBatch: (payload) => this.#onBatch(consumer, payload),
    });
  }

  #onJoin(consumer: Consumer): void {
    if (consumer !== this.#consumer) return;
    this.#failingSinceMs = undefined;
    for (const [number, partition] of this.#partitions) {
      partition.triesLeft = anchorTries;
      this.#seek(consumer, number, partition);
    }
    this.#deps.onJoin();
  }

  #seek(consumer: Consumer, number: number, partition: Partition): void {
    partition.isAnchored = partition.last === undefined;
    consumer.seek({ topic: this.#deps.topic, partition: number, offset: String(partition.last?.offset ?? 0n) });
  }

  async #onBatch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    if (consumer !== this.#consumer || !payload.isRunning() || payload.isStale()) return;
    const { batch } = payload;
    const partition = this.#partition(batch.partition);
    const records: ReadRecord[] = [];
    for (const message of batch.messages) {
      if (partition.isHalted || !this.#follows(consumer, batch.partition, partition, message)) break;
      const offset = BigInt(message.offset);
      if (partition.last !== undefined && offset <= partition.last.offset) continue;
      const record = this.#read(message, batch.partition);
      if (record === undefined) {
        partition.isHalted = true;
        break;
      }
      records.push(record);
      partition.last = { offset, hash: () => hashCanonical(record.canonical) };
    }
    if (records.length === 0) return;
    const taking = this.#deps.take(records);
    if (taking !== undefined) await beatUntil(taking, () => payload.heartbeat(), () => payload.isRunning());
  }

  /** Whether the message may be looked at: it is old, or it comes after what was read. Otherwise the partition is asked for again. */
  #follows(consumer: Consumer, number: number, partition: Partition, message: KafkaMessage): boolean {
    const offset = BigInt(message.offset);
    const { last } = partition;
    if (last !== undefined && offset < last.offset) return true;
    if (last !== undefined && offset === last.offset) {
      if (hashOf(message, number, this.#deps.partitions) !== last.hash()) {
        this.#replace.resolve(changed(this.#deps.topic, `the record at position ${number}-${offset} is another one than when it was read`));
        return false;
      }
      partition.isAnchored = true;
      partition.triesLeft = anchorTries;
      this.#deps.onAnchor();
      return true;
    }
    const expected = (last?.offset ?? -1n) + 1n;
    if (partition.isAnchored && (offset === expected || offset === partition.gapAt)) return true;
    // Another consumer's answer that comes late, or records that are gone: asking again for the last one tells.
    partition.triesLeft -= 1;
    if (partition.triesLeft === 0) {
      this.#replace.resolve(changed(this.#deps.topic, `the records before position ${number}-${offset} and after ${number}-${expected - 1n} are not there any more`));
      return false;
    }
    partition.gapAt = last === undefined ? undefined : offset;
    this.#seek(consumer, number, partition);
    return false;
  }

  #read(message: KafkaMessage, partition: number): ReadRecord | undefined {
    const { skip, partitions, onHalt } = this.#deps;
    const read = readMessage(message, partition, partitions);
    if (read.kind === 'record') return skip.has(`${partition}-${message.offset}`) ? { ...read.record, isForeign: true } : read.record;
    const offset = BigInt(message.offset);
    if (skip.has(`${partition}-${offset}`)) return { partition, offset, canonical: read.bytes, isForeign: true };
    onHalt({ partition, offset, message: `the message at position ${partition}-${offset} of the topic is no record: ${read.problem}` });
    return undefined;
  }

  #partition(number: number): Partition {
    const partition = this.#partitions.get(number);
    if (partition !== undefined) return partition;
    // Partitions were added under our feet; nothing of them is read (the check of the topic says so).
    const added: Partition = { last: undefined, isAnchored: false, triesLeft: anchorTries, gapAt: undefined, isHalted: true };
    this.#partitions.set(number, added);
    return added;
  }
}

/** The error of a topic that is not the one that was read before. */
export function changed(topic: string, what: string): TopicChangedError {
  return new TopicChangedError(
    `The topic ${topic} was made anew, cut or restored: ${what}. Put the right topic back. If this one is right, stop all nodes and delete the folder `
    + 'projections in each data-dir: they are built anew from the topic.',
  );
}

function hashOf(message: KafkaMessage, partition: number, partitions: number): string {
  const read = readMessage(message, partition, partitions);
  return hashCanonical(read.kind === 'record' ? read.record.canonical : read.bytes);
}
