import type { Cluster, Kafka, PartitionMetadata } from 'kafkajs';
import { insyncFloor } from './kafka-settings.ts';

/**
 * What kafkajs 2.2.4 builds its clients on, not connected yet: nothing that it offers in public asks one particular broker.
 */
export function clusterOf(kafka: Kafka): Cluster {
  const key = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === 'private:Kafka:createCluster');
  const make = key === undefined ? undefined : (kafka as unknown as Record<symbol, (options: object) => Cluster>)[key];
  if (make === undefined) throw new Error('this version of kafkajs keeps its clusters elsewhere');
  return make({ allowAutoTopicCreation: false });
}

/** By partition, the broker that leads it. */
export type Leaders = ReadonlyMap<number, number>;

/**
 * Finds who leads each partition, asked for after the call came, and confirmed by so many of the brokers with a copy that one of
 * them has had a part in whatever was acknowledged before. A broker that led, slept while another was put in its place, and wakes
 * does not know better for a moment, and KIP-207 is about new leaders only: alone it is not believed. Of `n` copies of which two are
 * written before a record counts, `n - 1` brokers are such a number; with fewer than three copies a broker is believed by itself.
 * Rejects where they do not answer, or do not agree.
 */
export async function whoLeads(cluster: Cluster, topic: string): Promise<Leaders> {
  await cluster.refreshMetadata();
  const claimed = cluster.findTopicPartitionMetadata(topic);
  if (claimed.length === 0) throw new Error(`no broker knows partitions of ${topic}`);
  const missing = new Map(claimed.map(({ partitionId, replicas }) => [partitionId, Math.max(1, replicas.length - insyncFloor + 1)]));
  const confirmed = Promise.withResolvers<undefined>();
  const answers = cluster.getNodeIds().map(String).map(async (nodeId) => {
    const leaders = await leadersBy(cluster, nodeId, topic);
    for (const { partitionId, leader, replicas } of claimed) {
      if (!replicas.includes(Number(nodeId)) || leaders.get(partitionId) !== leader) continue;
      missing.set(partitionId, (missing.get(partitionId) ?? 0) - 1);
    }
    if ([...missing.values()].every((count) => count <= 0)) confirmed.resolve(undefined);
  });
  void Promise.allSettled(answers).then(() => {
    const [partition] = [...missing].find(([, count]) => count > 0) ?? [];
    confirmed.reject(new Error(`too few brokers with a copy of partition ${partition ?? ''} agree on who leads it`));
  });
  await confirmed.promise;
  return leadersIn(claimed);
}

/** Whether these are still the brokers that the next question about the topic goes to. */
export function stillLead(leaders: Leaders, cluster: Cluster, topic: string): boolean {
  const known = leadersIn(cluster.findTopicPartitionMetadata(topic));
  return [...leaders].every(([partition, leader]) => known.get(partition) === leader);
}

async function leadersBy(cluster: Cluster, nodeId: string, topic: string): Promise<Leaders> {
  const broker = await cluster.findBroker({ nodeId });
  const { topicMetadata } = await broker.metadata([topic]);
  return leadersIn(topicMetadata.flatMap(({ partitionMetadata }) => partitionMetadata));
}

function leadersIn(partitions: readonly PartitionMetadata[]): Leaders {
  return new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader]));
}
