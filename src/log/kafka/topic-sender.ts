import kafkajs, { type Kafka, type Producer } from 'kafkajs';
import { kafkaProblem, produceTimeoutMs, type KafkaLog } from './connect-kafka.ts';
import type { OutgoingMessage } from './read-message.ts';

/** kafkajs: `acks` -1 waits for all in-sync replicas. */
const allInSync = -1;

/** Sends messages to the topic of the log. */
export interface Sender {
  /** Resolves once they are durable. Where it rejects they may have landed all the same, and more than once. */
  send(messages: OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}

/** Sends messages, durable on all in-sync replicas once the promise resolves; a producer that failed is replaced by a fresh one. */
export class TopicSender implements Sender {
  readonly #kafka: Kafka;
  readonly #topic: string;
  readonly #log: KafkaLog;
  #producer: Promise<Producer> | undefined;

  constructor(kafka: Kafka, topic: string, log: KafkaLog) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#log = log;
  }

  async send(messages: OutgoingMessage[]): Promise<void> {
    const producer = (this.#producer ??= this.#connect());
    try {
      await (await producer).send({ topic: this.#topic, messages, acks: allInSync, timeout: produceTimeoutMs });
    } catch (cause) {
      this.#log.warn({ problem: kafkaProblem(cause), records: messages.length }, 'records could not be sent to Kafka, or it did not say so');
      if (this.#producer === producer) this.#producer = undefined;
      void producer.then((given) => given.disconnect()).catch(() => undefined);
      throw cause;
    }
  }

  async close(): Promise<void> {
    const producer = await this.#producer?.catch(() => undefined);
    await producer?.disconnect().catch(() => undefined);
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      // Copies do no harm here, and an idempotent producer of kafkajs does not survive every change of leader.
      idempotent: false,
    });
    await producer.connect();
    return producer;
  }
}
