import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import type { ExecutionContext } from 'ava';

/** An answer of a region on its way. */
export interface PassedAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** Sends an answer on, changed or not, or does something else with the connection. */
export type Passing = (answer: PassedAnswer, response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

/** A place between a Lehr and the region that it clones from, at which answers can be changed and connections broken. */
export interface RegionProxy {
  readonly url: string;
  /** The region behind it, `http://host:port`; it may come back at another address. */
  target: string;
  /** What becomes of the answers to GetImage, and of the bytes of images. */
  describing: Passing;
  sending: Passing;
}

/** Sends an answer on as it came. */
export const passes: Passing = ({ status, headers, body }, response) => void response.writeHead(status, headers).end(body);

/** Starts a proxy on loopback; it ends, with all its connections, after the test. A region that is down drops the connection. */
export async function startRegionProxy(t: Pick<ExecutionContext, 'teardown'>, target: string): Promise<RegionProxy> {
  const proxy = { url: '', target, describing: passes, sending: passes };
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { 'content-type': type = '', range, 'if-range': ifRange, authorization } = request.headers;
    const asked = { 'content-type': type, range, 'if-range': ifRange?.toString(), authorization };
    const headers = Object.entries(asked).filter((header): header is [string, string] => header[1] !== undefined && header[1] !== '');
    const body = request.method === 'POST' ? await text(request) : null;
    const answer = await fetch(`${proxy.target}${request.url}`, { method: request.method ?? 'GET', headers, body });
    const whole = { status: answer.status, headers: Object.fromEntries(answer.headers), body: Buffer.from(await answer.arrayBuffer()) };
    const passing = request.url?.endsWith('/data') === true ? proxy.sending : proxy.describing;
    await passing(whole, response, request);
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => void response.socket?.resetAndDestroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}
