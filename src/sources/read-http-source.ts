import type { HttpCredential } from '../credentials/credential.ts';
import { authorized } from './authorize.ts';
import { followRedirects } from './follow-redirects.ts';
import type { HttpConnections } from './http-connections.ts';
import type { ExchangeLimits } from './http-exchange.ts';
import { wholeContent } from './http-question.ts';
import { NotTheRestError, restOf } from './rest-question.ts';
import type { Receiver, ResumePoint } from './source.ts';

/**
 * Reads an http or https URL into `receiver`; see `Sources.read`. Redirects are followed anew each time: what they lead to may be
 * signed for a while only.
 */
export async function readHttpSource(
  first: URL,
  resume: ResumePoint | undefined,
  limits: ExchangeLimits,
  connections: HttpConnections,
  receiver: Receiver,
  signal: AbortSignal,
  credential?: HttpCredential,
): Promise<void> {
  if (resume !== undefined) {
    try {
      await followRedirects(first, limits, connections, authorized((url) => restOf(url, resume, limits), credential), receiver, signal);
      return;
    } catch (error) {
      if (!(error instanceof NotTheRestError)) throw error;
    }
  }
  await followRedirects(first, limits, connections, authorized((url) => wholeContent(url, limits), credential), receiver, signal);
}
