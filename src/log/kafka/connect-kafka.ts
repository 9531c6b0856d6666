import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs';
import type { KafkaSettings } from './kafka-settings.ts';

/** What this folder tells the operator. */
export interface KafkaLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** How long a connection may take to come about. */
const connectionTimeoutMs = 3_000;

/**
 * How long a broker may take to answer. Shorter than the brokers' session time-out it would only send copies to a leader that
 * is gone; much longer, and one that hangs would hold up its partitions after another has taken over.
 */
export const requestTimeoutMs = 8_000;

/** A producer is given so long by the broker to reach all in-sync replicas. */
export const produceTimeoutMs = 6_000;

/** kafkajs tries a request again so often, after these waits: about 30 s in all. */
const retry = { initialRetryTime: 100, maxRetryTime: 1_500, factor: 0.2, multiplier: 1.6, retries: 24 } as const;

/** At the start it is tried so often: about 10 s, long enough for brokers that start at the same time. */
const startRetries = 10;

/** A client that gives up early, to say at the start what is wrong. */
export function connectKafkaAtStart(settings: KafkaSettings, clientId: string, log: KafkaLog): Kafka {
  return connectKafka(settings, clientId, log, startRetries);
}

/** A client of the brokers; it connects only when something is asked of it. */
export function connectKafka({ brokers, tls, sasl }: KafkaSettings, clientId: string, log: KafkaLog, retries: number = retry.retries): Kafka {
  return new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    ssl: tls === undefined ? false : { ...tls },
    // A copy: kafkajs keeps the login that it has made of it in the object that it is given.
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { ...retry, retries },
    // kafkajs calls errors what it then tries again with success: what matters to the operator is said by its callers.
    logCreator: () => ({ namespace, label, log: { message, error } }) => {
      log.debug({ kafkajs: namespace, level: label, ...(error === undefined ? {} : { error: String(error) }) }, message);
    },
  });
}

/** What went wrong at the bottom of an error of kafkajs, in one line. */
export function kafkaProblem(cause: unknown): string {
  let error = cause;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  return error instanceof Error ? error.message : String(error);
}
