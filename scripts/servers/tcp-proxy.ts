import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

import { freePorts } from './free-ports.ts';

/** A place between clients and a server on loopback at which the network can fail. */
export type TcpProxy = {
  /** Where clients connect to on 127.0.0.1; the same from beginning to end. */
  readonly port: number;
  /** Destroys all connections and refuses new ones, as when a machine is gone. */
  cut(): Promise<void>;
  /** Keeps all connections and accepts new ones, but passes nothing in either direction, as when packets are lost. */
  hang(): void;
  /** Ends either: listens again, and passes what has waited. */
  resume(): Promise<void>;
  /** Destroys all connections and ends. */
  stop(): Promise<void>;
};

/** A connection of a client and the one that stands for it at the server. */
type Pair = { readonly client: Socket; readonly upstream: Socket };

function open({ client, upstream }: Pair): void {
  client.pipe(upstream);
  upstream.pipe(client);
}

/** Without a reader a socket takes what fits in its buffers; then the other side cannot send any more. */
function block({ client, upstream }: Pair): void {
  client.unpipe(upstream).pause();
  upstream.unpipe(client).pause();
}

/** Each direction of a connection ends by itself, so that what was sent before an end arrives. */
const HALF_OPEN = { allowHalfOpen: true };

async function listen(port: number, accept: (client: Socket) => void): Promise<Server> {
  const server = createServer(HALF_OPEN, accept);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Starts a proxy on a free port that passes everything on to `targetPort` of 127.0.0.1. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const port = (await freePorts(1))[0] ?? 0;
  const pairs = new Set<Pair>();
  let isHanging = false;

  const accept = (client: Socket): void => {
    const pair = { client, upstream: connect({ port: targetPort, host: '127.0.0.1', ...HALF_OPEN }) };
    pairs.add(pair);
    for (const [socket, other] of [[client, pair.upstream], [pair.upstream, client]] as const) {
      socket.setNoDelay(true);
      // A side that fails takes the other one along; one that merely ends is passed on in its turn.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        if (other.destroyed) pairs.delete(pair);
      });
    }
    if (!isHanging) open(pair);
  };

  let server: Server | undefined = await listen(port, accept);
  const cut = async (): Promise<void> => {
    const closed = server;
    server = undefined;
    const done = closed === undefined ? undefined : once(closed, 'close');
    closed?.close();
    for (const { client, upstream } of pairs) {
      // A reset rather than a polite end.
      client.resetAndDestroy();
      upstream.destroy();
    }
    await done;
  };

  return {
    port,
    cut,
    hang() {
      isHanging = true;
      pairs.forEach(block);
    },
    async resume() {
      if (isHanging) pairs.forEach(open);
      isHanging = false;
      server ??= await listen(port, accept);
    },
    stop: cut,
  };
}
