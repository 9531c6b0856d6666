import { setTimeout as wait } from 'node:timers/promises';
import type { Cluster } from 'kafkajs';
import { LogUnavailableError } from '../event-log.ts';
import { kafkaProblem, type KafkaClient } from './connect-kafka.ts';
import { clusterOf, stillLead, whoLeads } from './who-leads.ts';
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

/** Before the next try: brokers that did not agree learn of one another. */
const retryMs = 50;

/** Asks the leaders of the partitions how far they go. Callers that come while a question is under way share the next one. */
export class TopicOffsets {
  readonly #connect: () => KafkaClient;
  readonly #topic: string;
  #client: { readonly close: () => void; readonly cluster: Promise<Cluster> } | undefined;
  #underWay: Promise<unknown> | undefined;
  #next: Promise<TopicRanges> | undefined;
  #isClosed = false;

  constructor(connect: () => KafkaClient, topic: string) {
    this.#connect = connect;
    this.#topic = topic;
  }

  /**
   * The ranges, asked for after the call came, so that they hold everything that was acknowledged before: of brokers that others
   * confirm to lead (see `whoLeads`), and one that has just become leader answers only once it knows (KIP-207). Rejects with
   * `LogUnavailableError`.
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
        await wait(retryMs);
      }
    }
  }

  async #fetch(): Promise<TopicRanges> {
    if (this.#isClosed) throw new Error('nobody asks any more');
    this.#client ??= open(this.#connect(), this.#topic);
    const cluster = await this.#client.cluster;
    const leaders = await whoLeads(cluster, this.#topic);
    if (!stillLead(leaders, cluster, this.#topic)) throw new Error('who leads has changed meanwhile');
    const partitions = [...leaders.keys()].map((partition) => ({ partition }));
    const [low, high] = await Promise.all([true, false].map(async (fromBeginning) => {
      const [answer] = await cluster.fetchTopicsOffset([{ topic: this.#topic, fromBeginning, partitions }]);
      return new Map(answer?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
    }));
    return new Map(partitions.map(({ partition }) => [partition, { low: offsetIn(low, partition), high: offsetIn(high, partition) }]));
  }

  #drop(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

function offsetIn(offsets: ReadonlyMap<number, bigint> | undefined, partition: number): bigint {
  const offset = offsets?.get(partition);
  if (offset === undefined) throw new Error(`nothing is said of partition ${partition}`);
  return offset;
}

function open({ kafka, close }: KafkaClient, topic: string): { readonly close: () => void; readonly cluster: Promise<Cluster> } {
  const cluster = clusterOf(kafka);
  const connected = cluster.connect().then(() => cluster.addTargetTopic(topic)).then(() => cluster);
  connected.catch(() => undefined);
  return { close, cluster: connected };
}
