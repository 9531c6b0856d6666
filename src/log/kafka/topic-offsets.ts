import type { Admin, Kafka } from 'kafkajs';
import { LogUnavailableError } from '../event-log.ts';
import { kafkaProblem } from './connect-kafka.ts';

/** What a partition holds: records from `low` on, up to but not with `high`. */
export interface PartitionRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** The ranges of all partitions. */
export type TopicRanges = ReadonlyMap<number, PartitionRange>;

/** The brokers are given so long to say where the topic ends. */
const askLimitMs = 5_000;

/** Asks the leaders of the partitions how far they go. Callers that come while a question is under way share the next one. */
export class TopicOffsets {
  readonly #kafka: Kafka;
  readonly #topic: string;
  #admin: Admin | undefined;
  #underWay: Promise<unknown> | undefined;
  #next: Promise<TopicRanges> | undefined;

  constructor(kafka: Kafka, topic: string) {
    this.#kafka = kafka;
    this.#topic = topic;
  }

  /**
   * The ranges, asked for after the call came, so that they hold everything that was acknowledged before. (A broker that has
   * just become leader answers only once it knows: KIP-207.) Rejects with `LogUnavailableError`.
   */
  async ask(): Promise<TopicRanges> {
    this.#next ??= (this.#underWay ?? Promise.resolve()).then(async () => {
      this.#next = undefined;
      const asked = this.#ask();
      this.#underWay = asked.catch(() => undefined).finally(() => { this.#underWay = undefined; });
      return asked;
    });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#drop();
  }

  async #ask(): Promise<TopicRanges> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => { late.reject(new Error(`no answer within ${askLimitMs} ms`)); }, askLimitMs);
    try {
      return await Promise.race([this.#fetch(), late.promise]);
    } catch (cause) {
      // The next question goes over connections of its own: what these know of the leaders may be out of date.
      void this.#drop();
      throw new LogUnavailableError(`Kafka does not say where the topic ${this.#topic} ends: ${kafkaProblem(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch(): Promise<TopicRanges> {
    if (this.#admin === undefined) {
      this.#admin = this.#kafka.admin();
      await this.#admin.connect();
    }
    const offsets = await this.#admin.fetchTopicOffsets(this.#topic);
    return new Map(offsets.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]));
  }

  async #drop(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.disconnect().catch(() => undefined);
  }
}
