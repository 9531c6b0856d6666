import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ApiError } from '../api-error.ts';
import type { Authenticate } from '../authenticate.ts';
import { everybodyIsDefault } from '../authenticate.ts';
import type { Services } from '../call.ts';
import { connectDoor } from '../connect/connect-door.ts';
import type { DoorLogger } from '../errors/incidents.ts';
import { loggedIncidents } from '../errors/incidents.ts';
import { stalledReaderTimeoutMs } from '../wire/limits.ts';
import type { HostRule } from './allowed-hosts.ts';
import { loopbackHosts } from './allowed-hosts.ts';
import { answerRequest } from './answer-request.ts';
import type { Route } from './exchange.ts';
import { imageDataRoute } from './image-data-route.ts';
import type { OpenImage } from './open-image.ts';
import type { PlainOptions } from './plain-routes.ts';
import { plainRoutes } from './plain-routes.ts';
import { stopServer } from './stop-server.ts';
import { downloadIdleTimeoutMs, headersTimeoutMs, keepAliveTimeoutMs, maxConnections, requestTimeoutMs } from './timeouts.ts';

/** What the HTTP door is made of. */
export interface HttpOptions extends PlainOptions {
  readonly services: Services;
  readonly openImage: OpenImage;
  /** Name or address to listen on, without brackets. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly logger: DoorLogger;
  /** Who calls; everybody is the tenant `default` where this is left out. */
  readonly authenticate?: Authenticate;
  /** By which host names requests may come; by default those of loopback and `host`. */
  readonly allowedHosts?: HostRule;
  /** Origins of web pages that may call although served from elsewhere; none by default. */
  readonly allowedOrigins?: readonly string[];
  /** Makes the ids of incidents; random UUIDs by default. */
  readonly newIncidentId?: () => string;
  /** How long a stream or a download waits for a reader that takes nothing; five minutes by default. */
  readonly idleTimeoutMs?: number;
}

/** An HTTP server that listens. */
export interface HttpHandle {
  readonly port: number;
  /**
   * Takes no more connections, waits up to `graceMs` for open requests, then aborts their signals, leaves them a moment
   * to answer and cuts off the rest. Resolves when the port is free; a second call waits for the first.
   */
  readonly stop: (graceMs: number) => Promise<void>;
}

/**
 * Serves Connect, gRPC-Web, downloads and the routes for operators over HTTP/1.1. Rejects, naming the address, where it
 * cannot listen.
 */
export async function startHttp(options: HttpOptions): Promise<HttpHandle> {
  const incidents = loggedIncidents(options.logger, options.newIncidentId);
  const authenticate = options.authenticate ?? everybodyIsDefault;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const allowed = {
    hosts: options.allowedHosts ?? loopbackHosts([options.host]),
    origins: new Set(options.allowedOrigins),
  };
  const connect = connectDoor({
    services: options.services, authenticate, incidents, stopping: stopping.signal,
    stalledReaderTimeoutMs: options.idleTimeoutMs ?? stalledReaderTimeoutMs,
  });
  const routes: readonly Route[] = [
    {
      takes: (path) => connect.paths.has(path),
      methods: ['POST', 'GET'],
      answer: ({ path, request, response }) => connect.serve(path, request, response),
    },
    imageDataRoute({
      openImage: options.openImage, authenticate, incidents, stopping: stopping.signal,
      idleTimeoutMs: options.idleTimeoutMs ?? downloadIdleTimeoutMs,
    }),
    ...plainRoutes(options),
  ];
  let stopped: Promise<void> | undefined;
  const server = createServer({ headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs, keepAliveTimeout: keepAliveTimeoutMs },
    (request, response) => {
      const [path = '/'] = (request.url ?? '/').split('?', 1);
      response.once('finish', () => {
        if (stopped !== undefined) request.socket.end();
      });
      void answerRequest({ request, response, path }, routes, allowed, incidents);
    });
  server.maxConnections = maxConnections;
  const port = await listen(server, options.host, options.port);

  return {
    port,
    stop: (graceMs) => {
      stopped ??= stopServer(server, graceMs, () => {
        stopping.abort(new ApiError('UNAVAILABLE', 'SERVER_STOPPING', 'This server is stopping; call again.'));
      });
      return stopped;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(`Cannot listen for HTTP on ${host}, port ${port}: ${cause.message}`, { cause })));
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });
}
