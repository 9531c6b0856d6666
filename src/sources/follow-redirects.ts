import { FailureError, failure } from '../domain/failures.ts';
import { displayUrl } from './display-url.ts';
import type { HttpConnections } from './http-connections.ts';
import { HttpExchange } from './http-exchange.ts';
import type { ExchangeLimits, ExchangeOutcome } from './http-exchange.ts';
import type { HttpQuestion } from './http-question.ts';
import { redirectTarget } from './redirect-target.ts';
import type { Receiver } from './source.ts';

/** Redirects followed at most. */
const redirectLimit = 5;

/**
 * Asks a URL, and where it redirects to, until the answer was taken by `receiver`; answers with the URL that it came from.
 * Redirects are followed here and not by the HTTP client, so that each target is checked as the first was.
 */
export async function followRedirects(
  first: URL,
  limits: ExchangeLimits,
  connections: HttpConnections,
  question: (url: URL) => HttpQuestion,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<URL> {
  let url = first;
  for (let redirects = 0; redirects <= redirectLimit; redirects += 1) {
    const outcome = await ask(url, limits, connections, question(url), receiver, signal);
    if (outcome.kind === 'received') return url;
    url = redirectTarget(url, outcome.location, limits.sourceAllow);
  }
  throw new FailureError(failure('SOURCE_ERROR', `${displayUrl(first)} redirects more than ${redirectLimit} times.`, {}, false));
}

/** Asks one URL: on a connection that was used before where there is one, and again on a fresh one where that was stale. */
export async function ask(
  url: URL,
  limits: ExchangeLimits,
  connections: HttpConnections,
  question: HttpQuestion,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<Exclude<ExchangeOutcome, { kind: 'stale' }>> {
  for (const fresh of [false, true]) {
    const connection = connections.lend(url.origin, fresh);
    const exchange = new HttpExchange(connection, url, limits, question, receiver);
    try {
      const outcome = await exchange.run(signal);
      if (outcome.kind !== 'stale') return outcome;
    } finally {
      if (exchange.isComplete) connections.giveBack(connection);
      else connections.discard(connection);
    }
  }
  throw new Error('A connection that never served a request cannot be stale.');
}
