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

/** What has no answer after this time is asked over fresh connections too, beside the old ones: their broker hangs, or is only slow. */
const besideMs = 2_000;

/** Before the next try: brokers that did not agree learn of one another. */
const retryMs = 50;

/** Connections over which is asked. */
interface Line {
  readonly close: () => void;
  readonly cluster: Promise<Cluster>;
}

/** Asks the leaders of the partitions how far they go. Callers that come while a question is under way share the next one. */
export class TopicOffsets {
  readonly #connect: () => KafkaClient;
  readonly #topic: string;
  /** While nothing is asked, at most the one that has answered last. */
  readonly #lines = new Set<Line>();
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
    this.#closeAllBut(undefined);
  }

  async #ask(): Promise<TopicRanges> {
    const endMs = performance.now() + askLimitMs;
    const tries: Promise<TopicRanges>[] = [];
    let problem: unknown;
    let [line] = this.#lines;
    while (!this.#isClosed && performance.now() < endMs) {
      const tried = this.#askOver(line ?? this.#open());
      tried.catch((cause: unknown) => { problem ??= cause; });
      tries.push(tried);
      try {
        return await within(Promise.race([Promise.any(tries), tried]), Math.min(besideMs, endMs - performance.now()));
      } catch {
        line = undefined;
      }
    }
    this.#closeAllBut(undefined);
    problem ??= new Error(this.#isClosed ? 'nobody asks any more' : `no answer within ${askLimitMs} ms`);
    throw new LogUnavailableError(`Kafka does not say where the topic ${this.#topic} ends: ${kafkaProblem(problem)}`, { cause: problem });
  }

  /** What is answered over these connections, which are kept then. Rejects after a moment, with them closed. */
  async #askOver(line: Line): Promise<TopicRanges> {
    try {
      const ranges = await this.#fetch(line);
      this.#closeAllBut(line);
      return ranges;
    } catch (cause) {
      // What these connections know of the leaders may be out of date.
      this.#close(line);
      await wait(retryMs);
      throw cause;
    }
  }

  async #fetch(line: Line): Promise<TopicRanges> {
    const cluster = await line.cluster;
    const leaders = await whoLeads(cluster, this.#topic);
    if (!stillLead(leaders, cluster, this.#topic)) throw new Error('who leads has changed meanwhile');
    const partitions = [...leaders.keys()].map((partition) => ({ partition }));
    const [low, high] = await Promise.all([true, false].map(async (fromBeginning) => {
      const [answer] = await cluster.fetchTopicsOffset([{ topic: this.#topic, fromBeginning, partitions }]);
      return new Map(answer?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
    }));
    return new Map(partitions.map(({ partition }) => [partition, { low: offsetIn(low, partition), high: offsetIn(high, partition) }]));
  }

  #open(): Line {
    const { kafka, close } = this.#connect();
    const cluster = clusterOf(kafka);
    const connected = cluster.connect().then(() => cluster.addTargetTopic(this.#topic)).then(() => cluster);
    connected.catch(() => undefined);
    const line = { close, cluster: connected };
    this.#lines.add(line);
    return line;
  }

  #close(line: Line): void {
    line.close();
    this.#lines.delete(line);
  }

  #closeAllBut(kept: Line | undefined): void {
    for (const line of this.#lines) if (line !== kept) this.#close(line);
  }
}

function offsetIn(offsets: ReadonlyMap<number, bigint> | undefined, partition: number): bigint {
  const offset = offsets?.get(partition);
  if (offset === undefined) throw new Error(`nothing is said of partition ${partition}`);
  return offset;
}
