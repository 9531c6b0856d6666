import kafkajs, { type Producer } from 'kafkajs';
import { kafkaProblem, metadataMaxAgeMs, produceTimeoutMs, type KafkaClient, type KafkaLog } from './connect-kafka.ts';
import type { OutgoingMessage } from './read-message.ts';
import { within } from './within.ts';

/** kafkajs: `acks` -1 waits for all in-sync replicas. */
const allInSync = -1;

/** A producer that has not sent within so long waits for a broker that hangs: a fresh one asks who leads now. */
const sendLimitMs = 6_000;

/** To be connected takes milliseconds; a broker that was asked and hangs is left for another one after so long. */
const connectLimitMs = 2_000;

/** Messages are sent again so often. Each time may leave a copy, which the log's rule passes over. */
const rounds = 6;

/** Sends messages to the topic of the log. */
export interface Sender {
  /** Resolves once they are durable. Where it rejects they may have landed all the same, and more than once. */
  send(messages: OutgoingMessage[]): Promise<void>;
  close(): void | Promise<void>;
}

interface Open {
  readonly close: () => void;
  readonly producer: Promise<Producer>;
}

/** Sends messages, durable on all in-sync replicas once the promise resolves; a producer that fails or hangs is replaced by a fresh one. */
export class TopicSender implements Sender {
  readonly #connect: () => KafkaClient;
  readonly #topic: string;
  readonly #log: KafkaLog;
  #open: Open | undefined;
  #isClosed = false;

  constructor(connect: () => KafkaClient, topic: string, log: KafkaLog) {
    this.#connect = connect;
    this.#topic = topic;
    this.#log = log;
  }

  async send(messages: OutgoingMessage[]): Promise<void> {
    let left = messages;
    for (let round = 1; ; round += 1) {
      if (this.#isClosed) throw new Error('nothing is sent any more');
      const open = (this.#open ??= openProducer(this.#connect()));
      try {
        const taken = await this.#sendOnce(open, left);
        // kafkajs does not send again what a broker led until just now when another that has answered already leads it next.
        left = left.filter(({ partition }) => !taken.has(partition));
        if (left.length === 0) return;
      } catch (cause) {
        this.#log.warn({ problem: kafkaProblem(cause), records: left.length, round }, 'Kafka did not take records in time; they may have landed all the same');
        // Others that wait for this producer fail with it, and send again with the next.
        open.close();
        if (this.#open === open) this.#open = undefined;
        if (round === rounds) throw cause;
      }
      if (round === rounds) throw new Error(`after ${rounds} rounds Kafka has not taken all records`);
    }
  }

  /** Resolves with the partitions that have taken what was for them. */
  async #sendOnce({ producer }: Open, messages: OutgoingMessage[]): Promise<ReadonlySet<number>> {
    const given = await within(producer, connectLimitMs);
    const taken = await within(given.send({ topic: this.#topic, messages, acks: allInSync, timeout: produceTimeoutMs }), sendLimitMs);
    return new Set(taken.map(({ partition }) => partition));
  }

  close(): void {
    this.#isClosed = true;
    this.#open?.close();
  }
}

function openProducer({ kafka, close }: KafkaClient): Open {
  const producer = kafka.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    metadataMaxAge: metadataMaxAgeMs,
    // Copies do no harm here, and an idempotent producer of kafkajs does not survive every change of leader.
    idempotent: false,
  });
  const connected = producer.connect().then(() => producer);
  connected.catch(() => undefined);
  return { close, producer: connected };
}
