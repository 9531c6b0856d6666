import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs';
import type { KafkaLog } from './connect-kafka.ts';
import type { KafkaSettings } from './kafka-settings.ts';

/** How long a connection may take to come about. */
const connectionTimeoutMs = 3_000;

/** How long a broker may take to answer. */
const requestTimeoutMs = 8_000;

/**
 * kafkajs tries a request again so often: for 2 s where nobody listens. Less than a node does, since somebody waits for the answer, and
 * whoever reads begins again by itself.
 */
const retry = { initialRetryTime: 200, maxRetryTime: 1_000, retries: 4 } as const;

/** A quiet connection may last so long before the system asks whether the other side is still there. */
const keepAliveMs = 60_000;

/** What kafkajs is told of connections that are not wanted any more. */
const ended = 'the audit has ended';

/** A client of the brokers for one audit. */
export interface AuditClient {
  readonly kafka: Kafka;
  /** Ends every connection and makes no other: kafkajs by itself goes on trying, and with it the process. */
  close(): void;
}

/** Makes a client; it connects only when something is asked of it. */
export function auditClient({ brokers, tls, sasl }: KafkaSettings, clientId: string, log: KafkaLog): AuditClient {
  const sockets = new Set<Socket>();
  let isClosed = false;
  const kafka = new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    ssl: tls === undefined ? false : { ...tls },
    // A copy: kafkajs keeps the login that it has made of it in the object that it is given.
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { ...retry },
    socketFactory: ({ host, port, ssl, onConnect }) => {
      if (isClosed) throw new Error(ended);
      // A name in a certificate is compared with the one that was asked for; an address is no name (RFC 6066, section 3).
      const named = isIP(host) === 0 ? { servername: host } : {};
      const socket = tls === undefined ? connectTcp({ host, port }, onConnect) : connectTls({ host, port, ...named, ...ssl }, onConnect);
      socket.setKeepAlive(true, keepAliveMs);
      sockets.add(socket);
      socket.once('close', () => { sockets.delete(socket); });
      // kafkajs no longer listens once it has let go of a connection.
      socket.on('error', () => undefined);
      return socket;
    },
    logCreator: () => ({ namespace, label, log: { message } }) => { log.debug({ kafkajs: namespace, level: label }, message); },
  });
  return {
    kafka,
    close() {
      isClosed = true;
      // Without an error kafkajs goes on waiting for answers.
      for (const socket of sockets) socket.destroy(new Error(ended));
    },
  };
}
