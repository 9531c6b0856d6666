import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs';
import { requestTimeoutMs, type KafkaLog } from './connect-kafka.ts';
import type { KafkaSettings } from './kafka-settings.ts';

/** How long a connection may take to come about. */
const connectionTimeoutMs = 3_000;

/**
 * kafkajs tries a request again so often: for 2 s where nobody listens. Less than a node does, since somebody waits for the answer, and
 * whoever reads begins again by itself.
 */
const retry = { initialRetryTime: 200, maxRetryTime: 1_000, retries: 4 } as const;

/** A quiet connection may last so long before the system asks whether the other side is still there. */
const keepAliveMs = 60_000;

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
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { ...retry },
    socketFactory: ({ host, port, ssl, onConnect }) => {
      if (isClosed) throw new Error('the audit has ended');
      // A name in a certificate is compared with the one that was asked for; an address is no name (RFC 6066, section 3).
      const named = isIP(host) === 0 ? { servername: host } : {};
      const socket = tls === undefined ? connectTcp({ host, port }, onConnect) : connectTls({ host, port, ...named, ...ssl }, onConnect);
      socket.setKeepAlive(true, keepAliveMs);
      sockets.add(socket);
      socket.once('close', () => { sockets.delete(socket); });
      return socket;
    },
    logCreator: () => ({ namespace, label, log: { message } }) => { log.debug({ kafkajs: namespace, level: label }, message); },
  });
  return {
    kafka,
    close() {
      isClosed = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
