import { murmur2 } from './murmur2.ts';

/**
 * The partition of a stream: that of its key, the id in its subject, as Kafka's default partitioner has it, so that a task
 * and its image share one. A record that lies in another partition is void: replicas read partitions in no common order.
 */
export function partitionOf(subject: string, partitions: number): number {
  return (murmur2(Buffer.from(keyOf(subject))) & positive) % partitions;
}

/** The key of a stream's records: the uuid of the task, for the task and its image alike. */
export function keyOf(subject: string): string {
  return subject.slice(subject.indexOf('/') + 1);
}

/** Kafka's `Utils.toPositive`. */
const positive = 0x7fffffff;
