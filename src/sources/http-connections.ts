import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { Dispatcher } from 'undici';
import { destinationOf } from './check-source-uri.ts';
import { connectPlain } from './connect-plain.ts';
import { guardedLookup, refusalOf, resolveBySystem } from './guarded-lookup.ts';
import type { ResolveAll } from './guarded-lookup.ts';
import { isProtocolError } from './http-failures.ts';
import type { SourceAllow } from './source-allow.ts';

/** How long making a connection, TLS included, may take; `idle-timeout` where that is shorter. */
const connectTimeoutMs = 10_000;

/** How long an unused connection is kept for the next import from the same server, unless the server asks for less. */
const keepAliveMs = 4_000;

/** Unused connections kept at once, to all servers together; the one that was used last longest ago is closed first. */
const idleConnectionLimit = 256;

/** The header of a response may not be larger. */
const headerLimitBytes = 32 * 1024;

/**
 * One connection to one server: an undici client of its own, so that it is known which request used which socket, whether
 * that socket had served another before, and what came on it after the response.
 */
export class HttpConnection {
  readonly origin: string;
  readonly #client: Client;
  #socket: Socket | undefined;
  #served = 0;
  #hasLeftOver = false;

  constructor(origin: string, connect: buildConnector.connector, onClose: (connection: HttpConnection) => void) {
    this.origin = origin;
    this.#client = new Client(origin, {
      connect: (options, callback) => {
        connect(options, (...outcome) => {
          this.#socket = outcome[1] ?? undefined;
          this.#served = 0;
          this.#watchLeftOver();
          callback(...outcome);
        });
      },
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      maxHeaderSize: headerLimitBytes,
    });
    this.#client.on('disconnect', () => onClose(this));
  }

  /** Whether the socket has served a request before; such a one may have been closed by the server without our knowing yet. */
  get isReused(): boolean {
    return this.#served > 1;
  }

  /** Whether another request may be sent on it. */
  get isUsable(): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed && this.#socket.readable && !this.#client.destroyed;
  }

  /** Whether the server sent bytes that belong to no response: it sent more than it had announced. */
  get hasSurplus(): boolean {
    const error = this.#socket?.errored;
    return this.#hasLeftOver || (error !== undefined && error !== null && isProtocolError(error));
  }

  /** Sends a request. One at a time. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler);
  }

  /** Called when a request is about to be written to the socket. */
  countRequest(): void {
    this.#served += 1;
  }

  /**
   * Behind a response after which the connection is closed undici looks at nothing: it ends the socket and gives it back what it has
   * read beyond the end.
   */
  #watchLeftOver(): void {
    this.#hasLeftOver = false;
    const socket = this.#socket;
    if (socket === undefined) return;
    const unshift = socket.unshift.bind(socket);
    socket.unshift = (chunk: Uint8Array, encoding) => {
      if (socket.destroyed && chunk.length > 0) this.#hasLeftOver = true;
      unshift(chunk, encoding);
    };
  }

  /** Closes the socket at once, whatever is under way. */
  async destroy(): Promise<void> {
    await this.#client.destroy();
  }
}

/**
 * Lends connections and keeps some for reuse. The number lent at once is the number of transfers, which is bounded by the
 * setting of that name.
 */
export class HttpConnections {
  readonly #connect: buildConnector.connector;
  readonly #idle = new Map<string, HttpConnection[]>();
  readonly #all = new Set<HttpConnection>();
  #idleCount = 0;

  constructor(idleTimeoutMs: number, allow: SourceAllow, resolveNames: ResolveAll = resolveBySystem) {
    const timeout = Math.min(connectTimeoutMs, idleTimeoutMs);
    this.#connect = (options, callback) => {
      const { host, port } = destinationOf(options);
      const refusal = isIP(host) === 0 ? undefined : refusalOf(host, port, [host], allow);
      if (refusal !== undefined) return callback(refusal, null);
      const lookup = guardedLookup(port, allow, resolveNames);
      const connect = options.protocol === 'https:' ? buildConnector({ allowH2: false, timeout, lookup }) : connectPlain(lookup, timeout);
      connect(options, callback);
    };
  }

  /** A connection to `origin`: one that was used before unless `fresh`, or a new one, which connects when it is used. */
  lend(origin: string, fresh: boolean): HttpConnection {
    const idle = fresh ? undefined : this.#idle.get(origin)?.pop();
    if (idle !== undefined) {
      this.#idleCount -= 1;
      return idle;
    }
    const connection = new HttpConnection(origin, this.#connect, (closed) => this.#forgetIdle(closed));
    this.#all.add(connection);
    return connection;
  }

  /** Whether nobody has a connection at the moment. */
  get isIdle(): boolean {
    return this.#all.size === this.#idleCount;
  }

  /** Takes back a connection whose response has ended. */
  giveBack(connection: HttpConnection): void {
    if (!connection.isUsable) return this.discard(connection);
    const list = this.#idle.get(connection.origin) ?? [];
    list.push(connection);
    // Deleting first moves the origin to the end: the map is in order of last use.
    this.#idle.delete(connection.origin);
    this.#idle.set(connection.origin, list);
    this.#idleCount += 1;
    if (this.#idleCount > idleConnectionLimit) this.#discardOldest();
  }

  /** Closes a lent connection at once. */
  discard(connection: HttpConnection): void {
    this.#all.delete(connection);
    void connection.destroy();
  }

  /** Closes everything. */
  async close(): Promise<void> {
    const all = [...this.#all];
    this.#all.clear();
    this.#idle.clear();
    this.#idleCount = 0;
    await Promise.all(all.map((connection) => connection.destroy()));
  }

  #discardOldest(): void {
    for (const list of this.#idle.values()) {
      const [oldest] = list;
      if (oldest === undefined) continue;
      this.#forgetIdle(oldest);
      return;
    }
  }

  #forgetIdle(connection: HttpConnection): void {
    const list = this.#idle.get(connection.origin);
    const index = list?.indexOf(connection) ?? -1;
    if (list === undefined || index === -1) return;
    list.splice(index, 1);
    if (list.length === 0) this.#idle.delete(connection.origin);
    this.#idleCount -= 1;
    this.discard(connection);
  }
}
