import type { Admin } from 'kafkajs';
import { LogUnavailableError } from '../event-log.ts';
import { kafkaProblem, type KafkaClient } from './connect-kafka.ts';
import { within } from './within.ts';

/** What a partition holds: records from `low` on, up to but not with `high`. */
export interface PartitionRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** The ranges of all partitions. */
export type TopicRanges = ReadonlyMap<number, PartitionRange>;

/** The brokers are given so long to say where the topic ends. */
const askLimitMs = 6_000;

/** One try may take so long; the next one asks another broker. */
const tryLimitMs = 2_000;

/** Asks the leaders of the partitions how far they go. Callers that come while a question is under way share the next one. */
export class TopicOffsets {
  readonly #connect: () => KafkaClient;
  readonly #topic: string;
  #client: { readonly close: () => void; readonly admin: Promise<Admin> } | undefined;
  #underWay: Promise<unknown> | undefined;
  #next: Promise<TopicRanges> | undefined;
  #isClosed = false;

  constructor(connect: () => KafkaClient, topic: string) {
    this.#connect = connect;
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

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  async #ask(): Promise<TopicRanges> {
    const startedMs = performance.now();
    for (;;) {
      try {
        return await within(this.#fetch(), tryLimitMs);
      } catch (cause) {
        // The next question goes over connections of its own: what these know of the leaders may be out of date, and their broker hang.
        this.#drop();
        if (this.#isClosed || performance.now() - startedMs + tryLimitMs > askLimitMs) {
          throw new LogUnavailableError(`Kafka does not say where the topic ${this.#topic} ends: ${kafkaProblem(cause)}`, { cause });
        }
      }
    }
  }

  async #fetch(): Promise<TopicRanges> {
    if (this.#isClosed) throw new Error('nobody asks any more');
    this.#client ??= open(this.#connect());
    const offsets = await (await this.#client.admin).fetchTopicOffsets(this.#topic);
    return new Map(offsets.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]));
  }

  #drop(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

function open({ kafka, close }: KafkaClient): { readonly close: () => void; readonly admin: Promise<Admin> } {
  const admin = kafka.admin();
  const connected = admin.connect().then(() => admin);
  connected.catch(() => undefined);
  return { close, admin: connected };
}
