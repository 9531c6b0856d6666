import { followRedirects } from './follow-redirects.ts';
import type { HttpConnections } from './http-connections.ts';
import type { ExchangeLimits } from './http-exchange.ts';
import { wholeContent } from './http-question.ts';
import type { Receiver } from './source.ts';

/** Reads an http or https URL into `receiver`; see `Sources.read`. */
export async function readHttpSource(
  first: URL,
  limits: ExchangeLimits,
  connections: HttpConnections,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<void> {
  await followRedirects(first, limits, connections, (url) => wholeContent(url, limits), receiver, signal);
}
