import type { Dispatcher } from 'undici';
import type { HttpConnection } from '../http-connections.ts';
import { isDroppedConnection } from '../http-failures.ts';
import type { ResponseHeaders } from '../http-question.ts';

/** The body of an answer that is kept may not be larger; more of it ends the exchange. */
const bodyLimitBytes = 4 * 1024 * 1024;

/** One request to an object store. */
export interface EndpointRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes that come as they are sent need a content-length among the headers. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Takes the body of an answer of 200 as it comes; without it, it is kept whole. */
  readonly take?: (chunk: Uint8Array) => void;
}

/** What came of it. */
export interface EndpointAnswer {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
  /** The entry had expired and was given up; whoever still has the body may send the request again, once. */
  readonly isExpired?: boolean;
}

/** One request and its answer on one connection. `run` is called once. */
export class EndpointExchange implements Dispatcher.DispatchHandler {
  readonly #connection: HttpConnection;
  readonly #request: EndpointRequest;
  readonly #idleTimeoutMs: number;
  readonly #settled = Promise.withResolvers<EndpointAnswer | 'stale'>();
  readonly #body: Buffer[] = [];
  #bodyBytes = 0;
  #status = 0;
  #headers: ResponseHeaders = {};
  #hasEnded = false;

  constructor(connection: HttpConnection, request: EndpointRequest, idleTimeoutMs: number) {
    this.#connection = connection;
    this.#request = request;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** Whether the response has come to its end, so that the connection may serve another. */
  get isComplete(): boolean {
    return this.#hasEnded;
  }

  /**
   * Sends the request and waits for the whole answer, whatever its status. `stale`: the connection had served before and was
   * closed without an answer. Rejects with undici's error, what the body threw, or the signal's reason.
   */
  async run(signal: AbortSignal): Promise<EndpointAnswer | 'stale'> {
    const onAbort = (): void => this.#settled.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      const { method, url, headers, body } = this.#request;
      this.#connection.dispatch(
        {
          method,
          path: url.pathname + url.search,
          headers: { 'user-agent': 'lehr', accept: '*/*', 'accept-encoding': 'identity', ...headers },
          // undici takes whatever can be iterated over, though its types do not say so.
          body: (body ?? null) as Dispatcher.DispatchOptions['body'],
          headersTimeout: this.#idleTimeoutMs,
          bodyTimeout: this.#idleTimeoutMs,
        },
        this,
      );
      return await this.#settled.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Called by undici. */
  onRequestStart(): void {
    this.#connection.countRequest();
  }

  /** Called by undici, for informational responses too. */
  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  /** Called by undici. */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { take } = this.#request;
    if (take !== undefined && this.#status === 200) return take(chunk);
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > bodyLimitBytes) return this.#settled.reject(new Error(`An answer has more than ${bodyLimitBytes} bytes.`));
    this.#body.push(Buffer.from(chunk));
  }

  /** Called by undici. */
  onResponseEnd(): void {
    this.#hasEnded = true;
    this.#settled.resolve({ status: this.#status, headers: this.#headers, body: Buffer.concat(this.#body) });
  }

  /** Called by undici. */
  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#status === 0 && this.#connection.isReused && isDroppedConnection(error)) return this.#settled.resolve('stale');
    this.#settled.reject(error);
  }
}
