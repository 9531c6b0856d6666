import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { HttpConnection } from '../../sources/http-connections.ts';
import type { ResponseHeaders } from '../../sources/http-question.ts';
import type { Artefact } from '../destination.ts';
import type { FileRun } from '../stored-bytes.ts';

/** How one PUT ended. `isWhole`: the last byte had been handed over by then, so that the object may exist. */
export type PutEnding =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: ResponseHeaders; readonly isWhole: boolean; readonly sentBytes: number }
  | { readonly kind: 'broken'; readonly error: Error; readonly isWhole: boolean; readonly sentBytes: number };

/** How long an answer is waited for when all was sent and nobody wants it any more: the object may exist by then. */
const lateAnswerMs = 5_000;

/**
 * Behind the first chunk an answer is waited for so long: a server that takes nothing says so and closes the connection, and what is
 * written then breaks it before the answer is read. (RFC 9110, 10.1.1, has Expect: 100-continue for that, which undici does not send.)
 */
const earlyAnswerMs = 150;

/** One PUT of all of an artefact on one connection. `run` is called once. */
export class PutExchange implements Dispatcher.DispatchHandler {
  readonly #connection: HttpConnection;
  readonly #url: URL;
  readonly #artefact: Artefact;
  readonly #idleTimeoutMs: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #settled = Promise.withResolvers<PutEnding>();
  #sentBytes = 0;
  #bodyError: unknown;

  /** `headers`: beside those that every PUT has. */
  constructor(
    connection: HttpConnection, url: URL, artefact: Artefact, idleTimeoutMs: number, headers: Readonly<Record<string, string>> = {},
  ) {
    this.#headers = headers;
    this.#connection = connection;
    this.#url = url;
    this.#artefact = artefact;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** Sends the request and waits for the answer's header. Rejects with what the artefact's bytes reject with, or the signal's reason. */
  async run({ signal, progress }: FileRun): Promise<PutEnding> {
    signal.throwIfAborted();
    const { sizeBytes } = this.#artefact;
    let late: NodeJS.Timeout | undefined;
    const giveUp = (): void => this.#settled.reject(signal.reason as Error);
    const onAbort = (): void => {
      if (this.#isWhole()) late = setTimeout(giveUp, lateAnswerMs);
      else giveUp();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#connection.dispatch(
        {
          method: 'PUT',
          path: this.#url.pathname + this.#url.search,
          headers: {
            'user-agent': 'lehr', accept: '*/*', 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes), 'if-none-match': '*',
            ...this.#headers,
          },
          // undici takes any iterable, and asks for the next chunk when the last was written; its types do not say so.
          body: this.#body(signal, progress) as unknown as Readable,
          headersTimeout: this.#idleTimeoutMs,
          bodyTimeout: this.#idleTimeoutMs,
        },
        this,
      );
      return await this.#settled.promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Called by undici. */
  onRequestStart(): void {
    this.#connection.countRequest();
  }

  /** Called by undici, for informational responses too. */
  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status >= 200) this.#settled.resolve({ kind: 'answered', status, headers, isWhole: this.#isWhole(), sentBytes: this.#sentBytes });
  }

  /** Called by undici: what a server says beyond its status is not read. */
  onResponseData(): void {
    return;
  }

  /** Called by undici. */
  onResponseEnd(): void {
    return;
  }

  /** Called by undici. */
  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#bodyError === undefined) this.#settled.resolve({ kind: 'broken', error, isWhole: this.#isWhole(), sentBytes: this.#sentBytes });
    else this.#settled.reject(this.#bodyError);
  }

  #isWhole(): boolean {
    return this.#sentBytes === this.#artefact.sizeBytes;
  }

  async #earlyAnswer(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, earlyAnswerMs);
    await Promise.race([this.#settled.promise.catch(() => undefined), late.promise]);
    clearTimeout(timer);
  }

  async *#body(signal: AbortSignal, progress: FileRun['progress']): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#artefact.chunks(0, signal)) {
        this.#sentBytes += chunk.length;
        progress(this.#sentBytes, this.#artefact.sizeBytes);
        const isFirst = this.#sentBytes === chunk.length;
        yield chunk;
        if (isFirst && !this.#isWhole()) await this.#earlyAnswer();
      }
    } catch (error) {
      this.#bodyError = error;
      throw error;
    }
  }
}
