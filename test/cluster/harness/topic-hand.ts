import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';

import type { OutgoingMessage } from '../../../src/log/kafka/read-message.ts';
import { kafkaClient } from '../../servers/kafka-client.ts';
import type { Cluster, Servers } from './cluster.ts';

/** What somebody does to the topic of a cluster behind the back of its nodes. */
export class TopicHand {
  readonly #kafka: string;
  readonly #topic: string;

  constructor({ kafka }: Servers, { topic }: Pick<Cluster, 'topic'>) {
    this.#kafka = kafka;
    this.#topic = topic;
  }

  /** Writes a message into a partition, and gives its position there. */
  async write(partition: number, message: Partial<OutgoingMessage> & Pick<OutgoingMessage, 'value'>): Promise<string> {
    const producer = kafkaClient([this.#kafka]).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    try {
      const [sent] = await producer.send({ topic: this.#topic, acks: -1, messages: [{ ...message, partition }] });
      return `${partition}-${sent?.baseOffset}`;
    } finally {
      await producer.disconnect();
    }
  }

  /** The messages that each partition holds, void ones too. */
  async counts(): Promise<readonly number[]> {
    const offsets = await this.#administer((admin) => admin.fetchTopicOffsets(this.#topic));
    return offsets.toSorted((a, b) => a.partition - b.partition).map(({ low, high }) => Number(high) - Number(low));
  }

  /** Deletes what is before an offset of a partition. */
  async cut(partition: number, offset: number): Promise<void> {
    const partitions = [{ partition, offset: String(offset) }];
    await this.#administer(async (admin) => {
      // The client deletes only in topics that it has asked about before.
      await admin.fetchTopicOffsets(this.#topic);
      await admin.deleteTopicRecords({ topic: this.#topic, partitions });
    });
  }

  /** Makes it, as a node would but for what `config` says. */
  async make(config: Readonly<Record<string, string>> = {}, partitions = 12): Promise<void> {
    const safe = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1', 'unclean.leader.election.enable': 'false' };
    const configEntries = Object.entries({ ...safe, ...config }).map(([name, value]) => ({ name, value }));
    const topic = { topic: this.#topic, numPartitions: partitions, replicationFactor: 1, configEntries };
    await this.#administer((admin) => admin.createTopics({ waitForLeaders: false, topics: [topic] }));
  }

  async addPartitions(count: number): Promise<void> {
    await this.#administer((admin) => admin.createPartitions({ topicPartitions: [{ topic: this.#topic, count }] }));
  }

  async #administer<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = kafkaClient([this.#kafka]).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }
}
