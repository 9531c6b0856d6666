import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ExecutionContext } from 'ava';

/** Answers one request; `count` is 1 for the first of its path, 2 for the next. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage, count: number) => void;

/** A web server that gives images in good ways and bad. */
export interface SourceServer {
  /** Makes the server answer below this path in this way, and gives the URL. */
  readonly serve: (path: string, behaviour: Behaviour) => string;
  /** How often a path was asked for. */
  readonly count: (path: string) => number;
}

/** Starts a source on loopback; it ends, with all its connections, after the test. */
export async function startSource(t: Pick<ExecutionContext, 'teardown'>): Promise<SourceServer> {
  const behaviours = new Map<string, Behaviour>();
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://source').pathname;
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    (behaviours.get(path) ?? answers(404))(response, request, count);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    serve(path, behaviour) {
      behaviours.set(path, behaviour);
      return `http://127.0.0.1:${port}${path}`;
    },
    count: (path) => counts.get(path) ?? 0,
  };
}

/** The whole content, at once. */
export function gives(content: Uint8Array, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (response) => void response.writeHead(200, { 'content-length': content.length, ...headers }).end(content);
}

/** A status, with a short text. */
export function answers(status: number, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (response) => void response.writeHead(status, headers).end('no image here');
}

/** One behaviour after another, request by request; the last one stays. */
export function inTurn(...behaviours: readonly Behaviour[]): Behaviour {
  return (response, request, count) => behaviours[Math.min(count, behaviours.length) - 1]?.(response, request, count);
}

/** Announces `announcedBytes`, sends the content, however much it is, and then ends or drops the connection or falls silent. */
export function announces(announcedBytes: number, content: Uint8Array, then: 'end' | 'drop' | 'silence'): Behaviour {
  return (response) => {
    response.writeHead(200, { 'content-length': announcedBytes });
    response.write(content, () => {
      if (then === 'end') response.socket?.end();
      if (then === 'drop') response.socket?.resetAndDestroy();
    });
  };
}

/** Content at a steady rate. */
export function trickles(content: Uint8Array, bytesPerSecond: number): Behaviour {
  const ticksPerSecond = 20;
  const step = Math.ceil(bytesPerSecond / ticksPerSecond);
  return (response) => {
    response.writeHead(200, { 'content-length': content.length });
    let at = 0;
    const timer = setInterval(() => {
      response.write(content.subarray(at, at += step));
      if (at < content.length) return;
      clearInterval(timer);
      response.end();
    }, 1_000 / ticksPerSecond);
    response.once('close', () => clearInterval(timer));
  };
}
