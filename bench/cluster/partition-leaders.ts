import kafkajs from 'kafkajs';

/** Which broker leads each partition of the topic: its index, from 0. */
export async function partitionLeaders(brokers: readonly string[], topic: string): Promise<ReadonlyMap<number, number>> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return new Map((topics[0]?.partitions ?? []).map(({ partitionId, leader }) => [partitionId, leader - 1]));
  } finally {
    await admin.disconnect();
  }
}
