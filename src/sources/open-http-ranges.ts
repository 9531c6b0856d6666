import type { HttpCredential } from '../credentials/credential.ts';
import { FailureError, failure } from '../domain/failures.ts';
import { authorized } from './authorize.ts';
import { displayUrl } from './display-url.ts';
import { ask, followRedirects } from './follow-redirects.ts';
import type { HttpConnections } from './http-connections.ts';
import type { ExchangeLimits } from './http-exchange.ts';
import type { HttpQuestion } from './http-question.ts';
import { firstRange, furtherRange } from './range-question.ts';
import type { PinnedContent } from './range-question.ts';
import { clampRange } from './source.ts';
import type { RangedSource, Receiver, SourceStart } from './source.ts';

/** So many bytes are asked for first and kept: they hold the header of every format, and mostly all that is wanted. */
const firstRangeBytes = 320 * 1024;

/** The body of the answer that says of a content that it is empty may not be larger. */
const refusalLimitBytes = 64 * 1024;

/**
 * Opens an http or https URL for reading in parts; see `Sources.openRanges`. Redirects are followed now, and where they led is
 * asked ever after, so that all parts are of one content.
 */
export async function openHttpRanges(
  first: URL,
  credential: HttpCredential | undefined,
  limits: ExchangeLimits,
  connections: HttpConnections,
  signal: AbortSignal,
): Promise<RangedSource> {
  return openPartsOf(first, limits, {
    first: (question, ...rest) => followRedirects(first, limits, connections, authorized(question, credential), ...rest),
    async further(url, question, ...rest) {
      return (await ask(url, limits, connections, authorized(() => question, credential)(url), ...rest)).kind;
    },
  }, signal);
}

/** How parts of a content are asked for. */
export interface PartAsking {
  /** Asks for the first part; answers with the URL that it came from. */
  first(question: (url: URL) => HttpQuestion, receiver: Receiver, signal: AbortSignal): Promise<URL>;
  further(url: URL, question: HttpQuestion, receiver: Receiver, signal: AbortSignal): Promise<'received' | 'redirected'>;
}

/** Opens what `asking` asks for; `first` is its address before redirects. */
export async function openPartsOf(first: URL, limits: ExchangeLimits, asking: PartAsking, signal: AbortSignal): Promise<RangedSource> {
  const closing = new AbortController();
  let content: PinnedContent | undefined;
  const question = (url: URL): HttpQuestion => firstRange(url, firstRangeBytes, limits, (learnt) => { content = learnt; });
  const head = new PartReceiver(first);
  const url = await asking.first(question, head, signal);
  if (content === undefined) throw new Error('A source answered without having begun.');
  const pinned = content;
  const kept = head.bytes();
  return {
    sizeBytes: pinned.sizeBytes,
    facts: head.facts,
    async read(offset, length, readSignal) {
      readSignal.throwIfAborted();
      closing.signal.throwIfAborted();
      const range = clampRange(offset, length, pinned.sizeBytes);
      const end = range.offset + range.length;
      if (range.length === 0 || end <= kept.length) return kept.slice(range.offset, end);
      const part = new PartReceiver(url);
      const further = furtherRange(url, range, pinned, limits);
      const outcome = await asking.further(url, further, part, AbortSignal.any([readSignal, closing.signal]));
      if (outcome === 'redirected') throw movedAway(url);
      return part.bytes();
    },
    async close() {
      closing.abort(new Error('The source was closed.'));
    },
  };
}

/** Takes one part whose size is known before its bytes come, and not a byte more. */
class PartReceiver implements Receiver {
  readonly #url: URL;
  #part = new Uint8Array();
  #receivedBytes = 0;
  facts: Readonly<Record<string, string>> = {};

  constructor(url: URL) {
    this.#url = url;
  }

  begin({ sizeBytes = 0, facts }: SourceStart): void {
    this.#part = new Uint8Array(sizeBytes);
    this.facts = facts;
  }

  receive(chunk: Uint8Array): undefined {
    // Only an empty content is told of with another body than its own: that of the refusal.
    const limitBytes = this.#part.length === 0 ? refusalLimitBytes : this.#part.length;
    if (this.#receivedBytes + chunk.length > limitBytes) {
      const message = `${displayUrl(this.#url)} sent more than the ${this.#part.length} bytes that were asked for. Ask whoever runs the source.`;
      throw new FailureError(failure('SOURCE_ERROR', message, { bytes_expected: String(this.#part.length) }, false));
    }
    if (this.#part.length > 0) this.#part.set(chunk, this.#receivedBytes);
    this.#receivedBytes += chunk.length;
  }

  /** The part, once the exchange has ended. Throws where it is not whole: a body in chunks announces no length. */
  bytes(): Uint8Array {
    if (this.#part.length === 0 || this.#receivedBytes === this.#part.length) return this.#part;
    const message = `${displayUrl(this.#url)} sent ${this.#receivedBytes} bytes of the ${this.#part.length} that were asked for. Try again.`;
    const metadata = { bytes_received: String(this.#receivedBytes), bytes_expected: String(this.#part.length) };
    throw new FailureError(failure('SOURCE_TRUNCATED', message, metadata));
  }
}

function movedAway(url: URL): FailureError {
  return new FailureError(failure('SOURCE_CHANGED', `${displayUrl(url)} redirects, and had sent parts of the content before. Try again.`));
}
