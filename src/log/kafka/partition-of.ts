import kafkajs from 'kafkajs';

/**
 * The partition of a stream: that of its key, the id in its subject, by Kafka's default partitioner (murmur2), so that a task
 * and its image share one. A record that lies in another partition is void: replicas read partitions in no common order.
 */
export function partitionOf(subject: string, partitions: number): number {
  return partitioner({ topic: '', partitionMetadata: metadataOf(partitions), message: { key: keyOf(subject), value: null } });
}

/** The key of a stream's records: the uuid of the task, for the task and its image alike. */
export function keyOf(subject: string): string {
  return subject.slice(subject.indexOf('/') + 1);
}

const partitioner = kafkajs.Partitioners.DefaultPartitioner();

type Metadata = Parameters<typeof partitioner>[0]['partitionMetadata'];
const metadata = new Map<number, Metadata>();

function metadataOf(partitions: number): Metadata {
  const known = metadata.get(partitions) ?? Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId, leader: 0, replicas: [], isr: [], partitionErrorCode: 0,
  }));
  metadata.set(partitions, known);
  return known;
}
