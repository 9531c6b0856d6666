import type { IncomingMessage, ServerResponse } from 'node:http';

import { createContextValues } from '@connectrpc/connect';
import { universalRequestFromNodeRequest } from '@connectrpc/connect-node';

import type { Authenticate } from '../authenticate.ts';
import type { Services } from '../call.ts';
import type { Incidents } from '../errors/incidents.ts';
import { loadDescriptors } from '../wire/descriptors.ts';
import { maxRequestBytes } from '../wire/limits.ts';
import { wireMethods } from '../wire/wire-methods.ts';
import type { AskedCall } from './asked-call.ts';
import { askedCallKey } from './asked-call.ts';
import { explainAnswer } from './explain-answer.ts';
import { universalHandlers } from './universal-handlers.ts';
import { writeAnswer } from './write-answer.ts';

/** What the Connect door is made of. */
export interface ConnectOptions {
  readonly services: Services;
  readonly authenticate: Authenticate;
  readonly incidents: Incidents;
  /** Aborts the signals of open calls. Its reason, an `ApiError`, is what those callers are told. */
  readonly stopping: AbortSignal;
  /** How long a stream waits for a reader that takes nothing. */
  readonly stalledReaderTimeoutMs: number;
}

/** The API over Connect and gRPC-Web, for a server of node:http. */
export interface ConnectDoor {
  /** `/lehr.v1.TaskService/GetTask` and so on. */
  readonly paths: ReadonlySet<string>;
  /** Serves a request to one of `paths`. Rejects where no answer could be written; the connection is then destroyed. */
  readonly serve: (path: string, request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** Makes the handlers of all methods once. */
export function connectDoor(options: ConnectOptions): ConnectDoor {
  const { registry } = loadDescriptors();
  const handlers = universalHandlers(wireMethods(options.services, registry), registry, options.incidents, options.stopping);
  return {
    paths: new Set(handlers.keys()),
    async serve(path, request, response) {
      const handler = handlers.get(path);
      if (handler === undefined) throw new Error(`No method has the path ${path}.`);
      const asked: AskedCall = {
        authenticate: () => options.authenticate((name) => request.headers[name]?.toString()),
        owner: '',
        reached: false,
        input: handler.method.input,
        body: [],
      };
      const values = createContextValues().set(askedCallKey, asked);
      const asking = universalRequestFromNodeRequest(request, response, undefined, values);
      const answer = await handler({ ...asking, body: kept(asking.body as AsyncIterable<Uint8Array>, asked.body) });
      await writeAnswer(await explainAnswer(answer, asked, options.incidents), response, options.stalledReaderTimeoutMs);
    },
  };
}

/** Passes a body on and remembers its pieces: who says what is wrong with a request may have to look at it again. */
async function* kept(body: AsyncIterable<Uint8Array>, pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const piece of body) {
    sizeBytes += piece.length;
    if (sizeBytes <= maxRequestBytes) pieces.push(piece);
    yield piece;
  }
}
