import { destinationOf } from './check-source-uri.ts';
import { continueReading } from './continue-reading.ts';
import type { Pause, ReadOnce } from './continue-reading.ts';
import { displayUrl } from './display-url.ts';
import { HttpConnections } from './http-connections.ts';
import type { ExchangeLimits } from './http-exchange.ts';
import { readHttpSource } from './read-http-source.ts';
import { authorizationFor, regionNamed } from './region-access.ts';
import type { RegionAccesses } from './region-access.ts';
import type { Receiver, RegionalRequest } from './source.ts';

/**
 * Reads from regions. Each has connections of its own, which alone may lead to its host and port although that is private: no
 * import comes to use them, and where a region redirects to is judged as for anybody.
 */
export class RegionSources {
  readonly #regions: RegionAccesses;
  readonly #limits: ExchangeLimits;
  readonly #pause: Pause;
  readonly #connections = new Map<string, HttpConnections>();

  constructor(regions: RegionAccesses, limits: ExchangeLimits, pause: Pause) {
    this.#regions = regions;
    this.#limits = limits;
    this.#pause = pause;
  }

  /** See `Sources.read`. */
  async read(request: RegionalRequest, receiver: Receiver, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const region = regionNamed(this.#regions, request.region.name);
    const value = authorizationFor(region, request.owner);
    const limits: ExchangeLimits = {
      ...this.#limits,
      maxImageBytes: Math.min(this.#limits.maxImageBytes, request.region.sizeBytes),
      ...(value === undefined ? {} : { authorization: { origin: region.origin, value } }),
    };
    const url = new URL(request.uri, region.origin);
    const connections = this.#connectionsTo(region.origin);
    const readOnce: ReadOnce = ({ resume }, ...rest) => readHttpSource(url, resume, limits, connections, ...rest);
    await continueReading(readOnce, displayUrl(url), request, receiver, signal, this.#pause);
  }

  /** Closes idle connections, and those in use. */
  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((connections) => connections.close()));
  }

  #connectionsTo(origin: string): HttpConnections {
    const known = this.#connections.get(origin);
    if (known !== undefined) return known;
    const { idleTimeoutMs, sourceAllow } = this.#limits;
    const { host, port } = destinationOf(new URL(origin));
    const made = new HttpConnections(idleTimeoutMs, [...sourceAllow, { kind: 'name', name: host, port }]);
    this.#connections.set(origin, made);
    return made;
  }
}
