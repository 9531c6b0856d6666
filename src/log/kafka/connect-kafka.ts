import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import kafkajs, { type ISocketFactory, type Kafka, type SASLOptions } from 'kafkajs';
import { endedFetchers } from './ended-fetchers.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { quietQueues } from './quiet-queues.ts';

/** What this folder tells the operator. */
export interface KafkaLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A client of the brokers. */
export interface KafkaClient {
  readonly kafka: Kafka;
  /** Ends every connection and makes no other: kafkajs by itself goes on trying, and with it the process. */
  readonly close: () => void;
}

/** How long a connection may take to come about. */
const connectionTimeoutMs = 3_000;

/** A quiet connection may last so long before the system asks whether the other side is still there. */
const keepAliveMs = 60_000;

/** What a client is for: how long its requests may wait for a broker, which may hang, and how often kafkajs tries them again. */
const purposes = {
  /** To say at the start what is wrong; long enough for brokers that start at the same time. */
  start: { requestTimeoutMs: 5_000, retries: 10 },
  /** Records of brokers under load may take long to be everywhere; see `TopicSender` for what comes after. */
  send: { requestTimeoutMs: 5_000, retries: 6 },
  read: { requestTimeoutMs: 3_000, retries: 8 },
  /** Small questions; see `TopicOffsets`. */
  ask: { requestTimeoutMs: 2_000, retries: 2 },
  /** Somebody waits for the end; whoever reads begins again by itself. */
  audit: { requestTimeoutMs: 8_000, retries: 4 },
} as const;

/** See `purposes`. */
export type KafkaPurpose = keyof typeof purposes;

/** Waits between the tries of kafkajs. */
const firstWaitMs = 100;
const longestWaitMs = 1_000;

/**
 * What is known of the leaders is asked for anew so often: kafkajs does not do that by itself after a request that a hanging
 * leader did not answer.
 */
export const metadataMaxAgeMs = 3_000;

/** A producer is given so long by the broker to reach all in-sync replicas. */
export const produceTimeoutMs = 4_000;

/** What kafkajs is told of connections that are not wanted any more. */
const closed = 'this client of Kafka is closed';

/** Makes a client; it connects only when something is asked of it. */
export function connectKafka({ brokers, tls, sasl }: KafkaSettings, clientId: string, log: KafkaLog, purpose: KafkaPurpose): KafkaClient {
  quietQueues();
  endedFetchers();
  const { requestTimeoutMs, retries } = purposes[purpose];
  const sockets = new Set<Socket>();
  let isClosed = false;
  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (isClosed) throw new Error(closed);
    // A name in a certificate is compared with the one that was asked for; an address is no name (RFC 6066, section 3).
    const named = isIP(host) === 0 ? { servername: host } : {};
    const socket = tls === undefined ? connectTcp({ host, port }, onConnect) : connectTls({ host, port, ...named, ...ssl }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      // kafkajs ends what is gone once more for each request that fails, and Node would keep each `unref` for a connect that never comes.
      socket.unref = () => socket;
    });
    // kafkajs no longer listens once it has let go of a connection.
    socket.on('error', () => undefined);
    return socket;
  };
  const kafka = new kafkajs.Kafka({
    clientId,
    brokers: () => shuffled(brokers),
    ssl: tls === undefined ? false : { ...tls },
    // A copy: kafkajs keeps the login that it has made of it in the object that it is given.
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { initialRetryTime: firstWaitMs, maxRetryTime: longestWaitMs, retries },
    socketFactory,
    // kafkajs calls errors what it then tries again with success: what matters to the operator is said by its callers.
    logCreator: () => ({ namespace, label, log: { message } }) => { log.debug({ kafkajs: namespace, level: label }, message); },
  });
  return {
    kafka,
    close() {
      isClosed = true;
      // Without an error kafkajs goes on waiting for answers.
      for (const socket of sockets) socket.destroy(new Error(closed));
    },
  };
}

/**
 * The addresses in another order each time: kafkajs begins with the first, and stays with it while it hangs, however often it is
 * asked to connect anew.
 */
function shuffled(addresses: readonly string[]): string[] {
  return addresses.map((address) => ({ address, at: Math.random() })).toSorted((a, b) => a.at - b.at).map(({ address }) => address);
}

/** What went wrong at the bottom of an error of kafkajs, in one line. */
export function kafkaProblem(cause: unknown): string {
  let error = cause;
  while (error instanceof Error && error.cause instanceof Error) error = error.cause;
  return error instanceof Error ? error.message : String(error);
}
