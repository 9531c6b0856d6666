import type { Dispatcher } from 'undici';
import { FailureError, failure } from '../domain/failures.ts';
import { displayUrl } from './display-url.ts';
import { headerText } from './header-text.ts';
import type { HttpConnection } from './http-connections.ts';
import { bodyFailure, connectionFailure, isDroppedConnection, isProtocolError, tooLargeFailure } from './http-failures.ts';
import type { HttpQuestion, ResponseHeaders } from './http-question.ts';
import type { SourceAllow } from './source-allow.ts';
import type { Receiver } from './source.ts';

/** How one request and its response ended, where they did not fail. */
export type ExchangeOutcome =
  /** All of the content was taken. */
  | { readonly kind: 'received' }
  /** The source is elsewhere. */
  | { readonly kind: 'redirected'; readonly location: string | undefined }
  /** The connection had served before and was closed without an answer: ask again on a fresh one. */
  | { readonly kind: 'stale' };

/** What bounds an exchange. */
export interface ExchangeLimits {
  readonly idleTimeoutMs: number;
  readonly maxImageBytes: number;
  readonly now: () => Date;
  /** Private addresses that redirects may lead to. */
  readonly sourceAllow: SourceAllow;
  /** The value of the header Authorization that one origin is sent, and no other, wherever it redirects to. */
  readonly authorization?: { readonly origin: string; readonly value: string };
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * One GET on one connection, whose body goes to a receiver as it comes. While the receiver holds a chunk the socket is not
 * read, and the time is not held against the source. `run` is called once.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #connection: HttpConnection;
  readonly #url: URL;
  readonly #shown: URL;
  readonly #limits: ExchangeLimits;
  readonly #question: HttpQuestion;
  readonly #receiver: Receiver;
  readonly #settled = Promise.withResolvers<ExchangeOutcome>();
  /** Chunks that came although the socket was not to be read: undici delivers what it had buffered when the peer closes. */
  readonly #held: Uint8Array[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #isReceiving = false;
  #isTaking = false;
  #hasEnded = false;
  #isOver = false;
  #receivedBytes = 0;
  #expectedBytes: number | undefined;

  constructor(connection: HttpConnection, url: URL, limits: ExchangeLimits, question: HttpQuestion, receiver: Receiver) {
    this.#connection = connection;
    this.#url = url;
    this.#shown = question.shown ?? url;
    this.#limits = limits;
    this.#question = question;
    this.#receiver = receiver;
  }

  /** Whether the response has come to its end, so that the connection may serve another. */
  get isComplete(): boolean {
    return this.#hasEnded;
  }

  /** Sends the request and waits for the end. Rejects with FailureError, the receiver's error, or the signal's reason. */
  async run(signal: AbortSignal): Promise<ExchangeOutcome> {
    const onAbort = (): void => this.#fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const { idleTimeoutMs, authorization } = this.#limits;
      this.#connection.dispatch(
        {
          method: 'GET',
          path: this.#url.pathname + this.#url.search,
          headers: {
            'user-agent': 'lehr', accept: '*/*', 'accept-encoding': 'identity', ...this.#question.headers,
            ...(authorization?.origin === this.#url.origin ? { authorization: authorization.value } : {}),
          },
          headersTimeout: idleTimeoutMs,
          bodyTimeout: idleTimeoutMs,
        },
        this,
      );
      return await this.#settled.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Called by undici. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#connection.countRequest();
  }

  /** Called by undici, for informational responses too. */
  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (this.#isOver || status < 200) return;
    if (redirectStatuses.has(status)) return this.#settle({ kind: 'redirected', location: headerText(headers, 'location') });
    try {
      this.#begin(status, headers);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Called by undici. */
  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    this.#receivedBytes += chunk.length;
    const { maxImageBytes } = this.#limits;
    if (this.#receivedBytes > maxImageBytes) {
      return this.#fail(new FailureError(tooLargeFailure(displayUrl(this.#shown), this.#receivedBytes, maxImageBytes)));
    }
    if (this.#isTaking) {
      this.#held.push(Buffer.from(chunk));
      return;
    }
    this.#take(chunk);
    if (!this.#isIdle()) controller.pause();
  }

  /** Called by undici. */
  onResponseEnd(): void {
    this.#hasEnded = true;
    if (!this.#isTaking) this.#complete();
  }

  /** Called by undici. */
  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#isOver) return;
    // A server that closes right behind the last byte may be heard of before the end that it had announced.
    if (this.#isReceiving && this.#receivedBytes === this.#expectedBytes && !isProtocolError(error)) return this.onResponseEnd();
    if (this.#isReceiving) return this.#fail(new FailureError(bodyFailure(this.#shown, error, this.#receivedBytes, this.#expectedBytes)));
    if (this.#connection.isReused && isDroppedConnection(error)) return this.#settle({ kind: 'stale' });
    this.#fail(new FailureError(connectionFailure(this.#shown, error), { cause: error }));
  }

  #begin(status: number, headers: ResponseHeaders): void {
    const start = this.#question.accept(status, headers);
    // What an earlier reading has counts as received.
    this.#receivedBytes = start.offsetBytes;
    this.#expectedBytes = start.sizeBytes;
    this.#isReceiving = true;
    this.#receiver.begin(start);
  }

  /** A method, since what is called in between changes the answer. */
  #isIdle(): boolean {
    return !this.#isOver && !this.#isTaking;
  }

  #take(chunk: Uint8Array): void {
    try {
      const taking = this.#receiver.receive(chunk);
      if (taking === undefined) return;
      this.#isTaking = true;
      taking.then(
        () => this.#taken(),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #taken(): void {
    this.#isTaking = false;
    for (let chunk = this.#held.shift(); chunk !== undefined; chunk = this.#held.shift()) {
      this.#take(chunk);
      if (!this.#isIdle()) return;
    }
    if (!this.#isIdle()) return;
    if (this.#hasEnded) this.#complete();
    else this.#controller?.resume();
  }

  /**
   * The end, once this turn is over: bytes behind the announced end that came together with it are seen by then. Those
   * that come later belong to no response and end the connection.
   */
  #complete(): void {
    setImmediate(() => {
      if (!this.#connection.hasSurplus) return this.#settle({ kind: 'received' });
      const message = `${displayUrl(this.#shown)} sent more than the ${this.#receivedBytes} bytes it had announced; it may be growing.`;
      this.#fail(new FailureError(failure('SOURCE_CHANGED', message, { bytes_expected: String(this.#receivedBytes) })));
    });
  }

  #settle(outcome: ExchangeOutcome): void {
    this.#isOver = true;
    this.#settled.resolve(outcome);
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held.length = 0;
    this.#settled.reject(reason);
  }
}
