import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ExecutionContext } from 'ava';

import { credentialsAt, openStores } from './object-stores.ts';
import type { ObjectStores } from './object-stores.ts';

/** A request whose body has come. `nth`: 1 for the first one of this method, path and query. */
export interface Asked {
  readonly line: string;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly nth: number;
  readonly headers: IncomingMessage['headers'];
}

/** A status, an answer with headers and body, or no answer at all. */
export type Answered = number | 'lost' | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer };

/** Object stores behind a server that does as it is told, for what a real one does too seldom. */
export interface ScriptedStore extends ObjectStores {
  /** Method, path and query of each request, logins left out. */
  readonly asked: readonly string[];
}

/** Starts the server; `answer` is asked for everything but logins, each of which gets another token: `token-1`, `token-2` … */
export async function scriptedStore(t: ExecutionContext, answer: (asked: Asked) => Answered): Promise<ScriptedStore> {
  const asked: string[] = [];
  let logins = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '', 'http://localhost');
    if (url.pathname === '/auth/v1.0') {
      logins += 1;
      response.writeHead(200, { 'x-auth-token': `token-${logins}`, 'x-storage-url': `http://${request.headers.host ?? ''}/v1` }).end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const line = `${request.method ?? ''} ${decodeURIComponent(url.pathname)}${url.search}`;
    asked.push(line);
    const nth = asked.filter((other) => other === line).length;
    const answered = answer({ line, method: request.method ?? '', path: url.pathname, query: url.searchParams, body: Buffer.concat(chunks), nth, headers: request.headers });
    if (answered === 'lost') response.destroy();
    else if (typeof answered === 'number') response.writeHead(answered).end();
    else response.writeHead(answered.status, answered.headers).end(answered.body);
  };
  // A client that goes away in the middle is what some of these tests are about.
  const server = createServer((request, response) => void handle(request, response).catch(() => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stores = openStores(credentialsAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  t.teardown(async () => {
    await stores.close();
    server.close();
    server.closeAllConnections();
  });
  return { ...stores, asked };
}

/** As stores name content. */
export function md5(bytes: Buffer | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** The answer to a PUT that was taken. */
export function taken({ body }: Asked, status = 201): Answered {
  return { status, headers: { etag: `"${md5(body)}"` } };
}
