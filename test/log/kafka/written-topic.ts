import type { ExecutionContext } from 'ava';
import type { IHeaders, Kafka } from 'kafkajs';
import { decodeCanonical } from '../../../src/log/canonical.ts';
import { ensureTopic } from '../../../src/log/kafka/ensure-topic.ts';
import type { KafkaSettings } from '../../../src/log/kafka/kafka-settings.ts';
import { messageOf } from '../../../src/log/kafka/read-message.ts';
import { kafkaClient } from '../../servers/kafka-client.ts';
import { sharedKafka } from '../../servers/shared-kafka.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';
import { SpokenLines } from './open-kafka-log.ts';

/** A message that a test writes into a topic by itself. */
export interface Line {
  /** By which the test finds it again. */
  readonly name: string;
  readonly key: string | null;
  readonly headers: IHeaders;
  readonly value: Buffer | null;
  readonly partition: number;
}

/** A topic that a test writes behind the back of the service. */
export interface WrittenTopic {
  readonly settings: KafkaSettings;
  readonly client: Kafka;
  /** The line that holds a record as the service writes it. */
  line(name: string, canonical: Uint8Array): Line;
  /** Sends lines in this order; resolves with the position, `partition-offset`, of each by its name. */
  write(lines: readonly Line[]): Promise<ReadonlyMap<string, string>>;
  /** Removes what lies before `offset`. */
  removeBefore(partition: number, offset: number): Promise<void>;
}

/** Makes a topic of its own on the shared broker. */
export async function writtenTopic(t: ExecutionContext, partitions = 3, brokers?: readonly string[]): Promise<WrittenTopic> {
  const settings: KafkaSettings = { brokers: brokers ?? [await sharedKafka(t)], topic: uniqueTopic(), partitions, replication: 1 };
  const { topic } = settings;
  const client = kafkaClient(settings.brokers);
  const admin = client.admin();
  await admin.connect();
  // Idempotent: kafkajs sends everything again where one partition of a new topic has no leader yet.
  const producer = client.producer({ allowAutoTopicCreation: false, idempotent: true });
  await producer.connect();
  t.teardown(() => Promise.all([producer.disconnect(), admin.disconnect()]));
  await ensureTopic(settings, 'test', new SpokenLines());
  const ends = new Map<number, number>();
  return {
    settings,
    client,
    line(name, canonical) {
      return { name, ...messageOf(decodeCanonical(canonical), partitions) };
    },
    async write(lines) {
      await producer.send({ topic, acks: -1, messages: lines.map(({ name: _, ...message }) => message) });
      return new Map(lines.map(({ name, partition }) => {
        const offset = ends.get(partition) ?? 0;
        ends.set(partition, offset + 1);
        return [name, `${partition}-${offset}`];
      }));
    },
    async removeBefore(partition, offset) {
      // kafkajs looks up the leaders only for who asks for offsets.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    },
  };
}
