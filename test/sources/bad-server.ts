import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** An HTTP server on a port of its own that does whatever the test says, and is gone after the test. */
export interface BadServer {
  readonly origin: string;
  /** Sockets accepted so far. */
  readonly sockets: readonly Socket[];
}

/** Starts a server; every request goes to `answer`. */
export async function startBadServer(
  t: ExecutionContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<BadServer> {
  const sockets: Socket[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, answer);
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

/** Resolves when a socket of the server has closed, with or without an error. */
export function closed(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}
