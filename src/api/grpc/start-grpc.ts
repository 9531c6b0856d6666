import { Server, ServerCredentials } from '@grpc/grpc-js';

import { ApiError } from '../api-error.ts';
import type { Authenticate } from '../authenticate.ts';
import { everybodyIsDefault } from '../authenticate.ts';
import type { Services } from '../call.ts';
import type { DoorLogger } from '../errors/incidents.ts';
import { loggedIncidents } from '../errors/incidents.ts';
import { loadDescriptors } from '../wire/descriptors.ts';
import { stalledReaderTimeoutMs } from '../wire/limits.ts';
import { wireMethods } from '../wire/wire-methods.ts';
import { explainStatuses, explainUnknownMethods } from './explain-statuses.ts';
import type { GrpcDoor } from './grpc-door.ts';
import { addHealth } from './health.ts';
import { addReflection } from './reflection.ts';
import { serverOptions } from './server-options.ts';
import { serviceDefinition, serviceHandlers } from './service-definitions.ts';
import { stopServer } from './stop-server.ts';

/** What the gRPC door is made of. */
export interface GrpcOptions {
  readonly services: Services;
  /** Name or address to listen on, without brackets. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly logger: DoorLogger;
  /** Who calls; everybody is the tenant `default` where this is left out. */
  readonly authenticate?: Authenticate;
  /** Makes the ids of incidents; random UUIDs by default. */
  readonly newIncidentId?: () => string;
  /** How long a stream waits for a reader that takes nothing; `stalledReaderTimeoutMs` by default. */
  readonly stalledReaderTimeoutMs?: number;
}

/** A gRPC server that listens. */
export interface GrpcHandle {
  readonly port: number;
  /** What health says of the server and its services: NOT_SERVING until told otherwise. */
  readonly setServing: (serving: boolean) => void;
  /**
   * Takes no more calls, waits up to `graceMs` for those that are open, then aborts their signals, leaves them a moment
   * to answer and cuts off the rest. Resolves when the port is free; a second call waits for the first.
   */
  readonly stop: (graceMs: number) => Promise<void>;
}

/** Serves the API, health and reflection over gRPC without TLS. Rejects, naming the address, where it cannot listen. */
export async function startGrpc(options: GrpcOptions): Promise<GrpcHandle> {
  const { registry, files } = loadDescriptors();
  const methods = wireMethods(options.services, registry);
  const names = [...new Set(methods.map(({ path }) => path.split('/')[1] ?? ''))];
  const door: GrpcDoor = {
    authenticate: options.authenticate ?? everybodyIsDefault,
    incidents: loggedIncidents(options.logger, options.newIncidentId),
    openCalls: new Set(),
    stalledReaderTimeoutMs: options.stalledReaderTimeoutMs ?? stalledReaderTimeoutMs,
  };

  const server = new Server({ ...serverOptions, interceptors: [explainStatuses(door.incidents)] });
  explainUnknownMethods(server);
  server.addService(serviceDefinition(methods), serviceHandlers(methods, door));
  const health = addHealth(server, names);
  addReflection(server, files, names);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const port = await listen(server, `${host}:${options.port}`);

  let stopped: Promise<void> | undefined;
  return {
    port,
    setServing: health.setServing,
    stop: (graceMs) => {
      health.setServing(false);
      health.endWatches();
      stopped ??= stopServer(server, `${host}:${port}`, graceMs, () => {
        const reason = new ApiError('UNAVAILABLE', 'SERVER_STOPPING', 'This server is stopping; call again.');
        for (const call of door.openCalls) call.abort(reason);
      });
      return stopped;
    },
  };
}

function listen(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, bound) => {
      if (cause === null) resolve(bound);
      else reject(new Error(`Cannot listen for gRPC on ${address}: ${cause.message}`, { cause }));
    });
  });
}
