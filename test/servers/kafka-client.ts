import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import kafkajs from 'kafkajs';
import type { Kafka, KafkaConfig } from 'kafkajs';

import type { KafkaCluster } from '../../scripts/servers/start-kafka.ts';

/** Enough tries for a broker that is being replaced by another. */
const RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 40 };

/** A quiet client of the brokers at these addresses. */
export function kafkaClient(brokers: readonly string[], config: Omit<KafkaConfig, 'brokers'> = {}): Kafka {
  return new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, retry: RETRY, ...config });
}

/** What a client must trust and show to speak TLS with these brokers. */
export function tlsOf({ certificates }: KafkaCluster): { ca: string; cert: string; key: string } {
  if (certificates === undefined) throw new Error('These brokers speak no TLS.');
  const read = (file: string): string => readFileSync(file, 'utf8');
  return { ca: read(certificates.caFile), cert: read(certificates.clientCertFile), key: read(certificates.clientKeyFile) };
}

/** Makes a topic with one partition that every broker has a copy of. */
export async function makeTopic(client: Kafka, topic: string, copies = 1): Promise<void> {
  const admin = client.admin();
  await admin.connect();
  // What kafkajs offers to wait for leaders with gives up where a broker has not heard of the topic yet.
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1, replicationFactor: copies }] });
  while (!(await admin.listTopics()).includes(topic)) await delay(20);
  await admin.disconnect();
}

/** Sends one record and resolves when every copy that counts has it. */
export async function send(client: Kafka, topic: string, value: string): Promise<void> {
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: [{ value }] });
  await producer.disconnect();
}

/** Reads the first `count` records of a topic in a group of its own. */
export async function readAll(client: Kafka, topic: string, count: number): Promise<readonly string[]> {
  const consumer = client.consumer({ groupId: `${topic}.${performance.now()}`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  await consumer.run({
    eachMessage: async ({ message }) => {
      values.push(message.value?.toString() ?? '');
      if (values.length === count) resolve(undefined);
    },
  });
  await promise;
  await consumer.disconnect();
  return values;
}
