import type { Server, ServerWritableStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

/** The health service of one server (grpc.health.v1). */
export interface Health {
  /** Says SERVING or NOT_SERVING for the server as a whole and for each of its services. */
  readonly setServing: (serving: boolean) => void;
  /** Ends the watches, which would otherwise keep a server that stops waiting for them. */
  readonly endWatches: () => void;
}

/** Adds the health service to `server`. It says NOT_SERVING until told otherwise. */
export function addHealth(server: Server, services: readonly string[]): Health {
  const names = ['', ...services];
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'NOT_SERVING'])));
  const watches = new Set<ServerWritableStream<unknown, unknown>>();
  health.addToServer({
    addService(definition: ServiceDefinition, handlers: UntypedServiceImplementation) {
      server.addService(definition, { ...handlers, watch: tracked(handlers.watch as Watch, watches) });
    },
  });
  return {
    setServing: (serving) => {
      for (const name of names) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
    endWatches: () => {
      for (const watch of watches) watch.end();
    },
  };
}

type Watch = (call: ServerWritableStream<unknown, unknown>) => void;

function tracked(watch: Watch, watches: Set<ServerWritableStream<unknown, unknown>>): Watch {
  return (call) => {
    watches.add(call);
    call.once('cancelled', () => watches.delete(call));
    watch(call);
  };
}
