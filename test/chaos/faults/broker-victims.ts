import { setTimeout as sleep } from 'node:timers/promises';

import { Kafka, logLevel } from 'kafkajs';

import type { KafkaCluster } from '../../../scripts/servers/start-kafka.ts';
import { linkVictim } from './link-victim.ts';
import type { Link } from './link-victim.ts';
import { serverVictim } from './server-victim.ts';
import type { Victim } from './victim.ts';

/** After a broker is back, its copies are complete again after so long; nothing else happens to a broker before. */
export const inSyncLimitMs = 30_000;

const lookEveryMs = 500;

/** The brokers of a cluster and how their clients reach them. */
export interface Brokers {
  readonly kafka: KafkaCluster;
  readonly topic: string;
  readonly partitions: number;
  /** The proxy of each broker. */
  readonly links: readonly Link[];
}

interface Partition {
  /** The index of the broker that leads it; -1 where none does. */
  readonly leader: number;
  readonly isComplete: boolean;
}

/**
 * `broker-N`, `link broker-N`, and `leader`: the broker that leads the next partition, another one each time. None of them is healed
 * before all copies of the topic are complete again, so that never more than one broker is behind.
 */
export function brokerVictims({ kafka, topic, partitions, links }: Brokers): readonly Victim[] {
  const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING, clientId: 'chaos' });
  const look = async (): Promise<readonly Partition[]> => {
    const admin = client.admin();
    try {
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return (topics[0]?.partitions ?? []).toSorted((a, b) => a.partitionId - b.partitionId)
        .map(({ leader, isr, replicas }) => ({ leader: leader - 1, isComplete: isr.length === replicas.length }));
    } finally {
      await admin.disconnect();
    }
  };
  const inSync = async (): Promise<void> => {
    for (const endMs = performance.now() + inSyncLimitMs; performance.now() < endMs; await sleep(lookEveryMs)) {
      const found = await look().catch(() => []);
      if (found.length === partitions && found.every(({ isComplete }) => isComplete)) return;
    }
  };
  const patient = (victim: Victim): Victim => ({ ...victim, heal: async (harm) => { await victim.heal(harm); await inSync(); } });
  const brokers = kafka.nodes.map((node, index) => patient(serverVictim(`broker-${index + 1}`, node)));
  const linked = links.map((link, index) => patient(linkVictim(`link broker-${index + 1}`, link)));

  let struck: Victim | undefined;
  let turns = 0;
  const leader: Victim = {
    name: 'leader',
    async strike(harm) {
      turns += 1;
      const found = await look();
      struck = brokers[found[turns % partitions]?.leader ?? -1] ?? brokers[turns % brokers.length];
      await struck?.strike(harm);
    },
    async heal(harm) {
      await struck?.heal(harm);
      struck = undefined;
    },
  };
  return [...brokers, ...linked, leader];
}
