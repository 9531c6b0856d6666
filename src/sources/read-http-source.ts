import { FailureError, failure } from '../domain/failures.ts';
import { displayUrl } from './display-url.ts';
import type { HttpConnections } from './http-connections.ts';
import { HttpExchange } from './http-exchange.ts';
import type { ExchangeLimits, ExchangeOutcome } from './http-exchange.ts';
import { redirectTarget } from './redirect-target.ts';
import type { Receiver } from './source.ts';

/** Redirects followed at most. */
const redirectLimit = 5;

/**
 * Reads an http or https URL into `receiver`; see `Sources.read`. Redirects are followed here and not by the HTTP client, so
 * that each target is checked as the first was.
 */
export async function readHttpSource(
  first: URL,
  limits: ExchangeLimits,
  connections: HttpConnections,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<void> {
  let url = first;
  for (let redirects = 0; redirects <= redirectLimit; redirects += 1) {
    const outcome = await get(url, limits, connections, receiver, signal);
    if (outcome.kind === 'received') return;
    url = redirectTarget(url, outcome.location, limits.sourceAllow);
  }
  throw new FailureError(failure('SOURCE_ERROR', `${displayUrl(first)} redirects more than ${redirectLimit} times.`, {}, false));
}

async function get(
  url: URL,
  limits: ExchangeLimits,
  connections: HttpConnections,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<Exclude<ExchangeOutcome, { kind: 'stale' }>> {
  for (const fresh of [false, true]) {
    const connection = connections.lend(url.origin, fresh);
    const exchange = new HttpExchange(connection, url, limits, receiver);
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
