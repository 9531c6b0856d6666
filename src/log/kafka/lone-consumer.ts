import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer, ConsumerConfig, Kafka } from 'kafkajs';
import { within } from './within.ts';

/** How long a consumer may stay away before the brokers forget it; it is alone in its group, so that matters to nobody else. */
const sessionTimeoutMs = 30_000;
const heartbeatMs = 2_000;

/** Brokers answer a fetch that finds nothing after so long. */
const fetchWaitMs = 100;

/** What the brokers may send of one partition at a time. */
const partitionBytes = 1_048_576;

/** A consumer that is going is given so long. */
const goodbyeMs = 3_000;

/** What differs from one consumer to the other. */
export interface LoneConsumerOptions extends Pick<ConsumerConfig, 'groupId' | 'metadataMaxAge'> {
  /** What the brokers may send at a time, of all partitions. */
  readonly maxBytes: number;
  /** How often a request is tried again. */
  readonly retries: number;
}

/** Makes a consumer that is alone in its group, since kafkajs knows no reading without one. Its owner replaces it when it crashes. */
export function loneConsumer(kafka: Kafka, { retries, ...options }: LoneConsumerOptions): Consumer {
  return kafka.consumer({
    ...options,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: heartbeatMs,
    maxWaitTimeInMs: fetchWaitMs,
    maxBytesPerPartition: partitionBytes,
    allowAutoTopicCreation: false,
    readUncommitted: true,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
  });
}

/** Waits until `work` has ended, telling the brokers now and then that the consumer lives; no longer than `isRunning`. */
export async function beatUntil(
  work: Promise<unknown>, heartbeat: () => Promise<void>, isRunning: () => boolean = () => true,
): Promise<void> {
  const done = work.then(() => true);
  while (isRunning()) {
    const pause = new AbortController();
    const isDone = await Promise.race([done, wait(heartbeatMs, false, { signal: pause.signal }).catch(() => false)]);
    pause.abort();
    if (isDone) return;
    await heartbeat();
  }
}

/** Lets a consumer go, whether or not the brokers answer. */
export async function letGo(consumer: Consumer): Promise<void> {
  await within(consumer.disconnect(), goodbyeMs).catch(() => undefined);
}
