import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** An answer that takes longer does not come. */
const ANSWER_TIMEOUT_MS = 2_000;

/** What a nats-server says of itself, as far as it matters here. */
export type NatsInfo = { readonly jetstream?: boolean };

/**
 * What a nats-server says of itself to everybody who connects, before any TLS and password:
 * https://docs.nats.io/reference/reference-protocols/nats-protocol#info.
 */
export async function askNats(port: number): Promise<NatsInfo> {
  const socket = connect({ port, host: '127.0.0.1', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  try {
    await once(socket, 'connect');
    for await (const line of createInterface({ input: socket })) {
      if (line.startsWith('INFO ')) return JSON.parse(line.slice('INFO '.length)) as NatsInfo;
    }
    throw new Error('The server closed the connection without a word.');
  } finally {
    socket.destroy();
  }
}
