import { destinationOf } from '../check-source-uri.ts';
import { HttpConnections } from '../http-connections.ts';
import { addressBytes } from '../ip-address.ts';
import type { SourceAllow } from '../source-allow.ts';
import { EndpointError } from './endpoint-error.ts';
import { EndpointExchange } from './endpoint-exchange.ts';
import type { EndpointAnswer, EndpointRequest } from './endpoint-exchange.ts';

/** Origins that connections are kept to: where buckets stand in hosts' names, each bucket is an origin of its own. */
const originLimit = 64;

/**
 * Connections to the object stores that credentials name, each of which can lead to its own endpoint and nowhere else. The
 * address is the operator's word and is not judged by `source-allow`.
 */
export class Endpoints {
  readonly #idleTimeoutMs: number;
  readonly #byOrigin = new Map<string, HttpConnections>();

  constructor(idleTimeoutMs: number) {
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** The connections to the origin of a URL. */
  connectionsTo(url: URL): HttpConnections {
    const known = this.#byOrigin.get(url.origin) ?? new HttpConnections(this.#idleTimeoutMs, onlyTo(url));
    // Deleting first moves the origin to the end: the map is in order of last use.
    this.#byOrigin.delete(url.origin);
    this.#byOrigin.set(url.origin, known);
    if (this.#byOrigin.size > originLimit) this.#forgetOldest();
    return known;
  }

  /** Of more origins than are kept the one that was used last longest ago goes, and that nobody uses now. */
  #forgetOldest(): void {
    for (const [origin, connections] of [...this.#byOrigin].slice(0, -1)) {
      if (!connections.isIdle) continue;
      this.#byOrigin.delete(origin);
      void connections.close();
      return;
    }
  }

  /** Origins that it has connections to, or had. */
  get originCount(): number {
    return this.#byOrigin.size;
  }

  /**
   * Sends a request and answers with whatever status came. A request with a body gets a fresh connection: on one that was closed
   * without an answer it may have taken effect, and is not sent again behind the caller's back. Rejects with
   * EndpointError, whose `url` is `shown`, with what the body threw, or with the signal's reason.
   */
  async ask(request: EndpointRequest, shown: URL, signal: AbortSignal): Promise<EndpointAnswer> {
    const connections = this.connectionsTo(request.url);
    const { body } = request;
    const sent = body === undefined || body instanceof Uint8Array ? undefined : new WatchedBody(body);
    for (const fresh of body === undefined ? [false, true] : [true]) {
      const connection = connections.lend(request.url.origin, fresh);
      const exchange = new EndpointExchange(connection, sent === undefined ? request : { ...request, body: sent }, this.#idleTimeoutMs);
      try {
        const outcome = await exchange.run(signal);
        if (outcome !== 'stale') return outcome;
      } catch (error) {
        signal.throwIfAborted();
        if (sent?.error !== undefined) throw sent.error.value;
        throw error instanceof Error ? new EndpointError(shown, error) : error;
      } finally {
        if (exchange.isComplete && sent?.isOpen !== true) connections.giveBack(connection);
        else connections.discard(connection);
      }
    }
    throw new Error('A connection that never served a request cannot be stale.');
  }

  /** Closes everything. */
  async close(): Promise<void> {
    await Promise.all([...this.#byOrigin.values()].map((connections) => connections.close()));
  }
}

/** Keeps what a body throws, which is the reason why the exchange fails then, and knows whether all of it was taken. */
class WatchedBody implements AsyncIterable<Uint8Array> {
  readonly #body: AsyncIterable<Uint8Array>;
  error: { readonly value: unknown } | undefined;
  isOpen = true;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#body = body;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#body;
      this.isOpen = false;
    } catch (value) {
      this.error = { value };
      throw value;
    }
  }
}

/** Allows what one URL leads to, and no more. */
function onlyTo(url: URL): SourceAllow {
  const { host, port } = destinationOf(url);
  const bytes = addressBytes(host);
  if (bytes === undefined) return [{ kind: 'name', name: host, port }];
  return [{ kind: 'range', range: { network: bytes, prefixBits: bytes.length * 8 }, port }];
}
