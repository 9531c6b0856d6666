import type { SecureContextOptions } from 'node:tls';

/** How to reach the brokers, and the topic that holds the log. */
export interface KafkaSettings {
  /** Addresses to begin with, `host:port`. */
  readonly brokers: readonly string[];
  /** One deployment, one topic. */
  readonly topic: string;
  /** Partitions of a topic that is made; of one that exists they are checked. */
  readonly partitions: number;
  /** Copies of each record where the topic is made; 0: as many as there are brokers, at most `replicationGoal`. */
  readonly replication: number;
  /** Undefined: no TLS. */
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
}

/** A topic with so many copies survives a broker, and with `min.insync.replicas` 2 loses nothing when two fail one after the other. */
export const replicationGoal = 3;

/** With `replicationGoal` copies or more at least so many must be written before a record counts. */
export const insyncFloor = 2;
