import { FailureError, failure } from '../../domain/failures.ts';
import { displayUrl } from '../display-url.ts';
import { ask } from '../follow-redirects.ts';
import { headerText } from '../header-text.ts';
import type { ExchangeLimits } from '../http-exchange.ts';
import { connectionFailure, statusFailure } from '../http-failures.ts';
import type { HttpQuestion, ResponseHeaders } from '../http-question.ts';
import { factLimit } from '../source.ts';
import type { Receiver } from '../source.ts';
import { LoginError } from '../swift/swift-session.ts';
import { EndpointError, StatusError } from './endpoint-error.ts';
import type { Endpoints } from './endpoints.ts';
import type { ObjectDoor } from './object-door.ts';
import { objectUri } from './object-uri.ts';
import type { ObjectAddress } from './object-uri.ts';

/** An object that is read, and how. */
export interface ObjectReading {
  readonly door: ObjectDoor;
  readonly address: ObjectAddress;
  readonly endpoints: Endpoints;
  readonly limits: ExchangeLimits;
}

/** The URL that stands for an object in messages, and that questions about it are made for. */
export function shownUrl(address: ObjectAddress): URL {
  return new URL(objectUri(address));
}

/** Asks for an object or a part of it; an entry that has expired is renewed once. Rejects with FailureError, as `Sources.read` does. */
export async function askObject(reading: ObjectReading, question: HttpQuestion, receiver: Receiver, signal: AbortSignal): Promise<void> {
  try {
    await askAgain(reading, question, receiver, signal);
  } catch (error) {
    throw asSourceError(error, reading.limits.now());
  }
}

async function askAgain(reading: ObjectReading, question: HttpQuestion, receiver: Receiver, signal: AbortSignal): Promise<void> {
  const { door, address, endpoints, limits } = reading;
  for (let isFirst = true; ; isFirst = false) {
    const admitted = await door.admit({ method: 'GET', address, headers: question.headers }, signal);
    const { url, headers } = admitted;
    const entry = { isExpired: false };
    const asked: HttpQuestion = {
      shown: shownUrl(address),
      headers,
      accept(status, answered) {
        entry.isExpired = status === 401 && isFirst && door.renew(admitted);
        const start = question.accept(status, withQuotedTag(answered));
        return { ...start, facts: { ...start.facts, host: url.host.slice(0, factLimit) } };
      },
    };
    try {
      const outcome = await ask(url, limits, endpoints.connectionsTo(url), asked, receiver, signal);
      if (outcome.kind === 'received') return;
    } catch (error) {
      if (entry.isExpired) continue;
      throw error;
    }
    const message = `${displayUrl(shownUrl(address))} is said to be elsewhere. Ask the operator to check endpoint and region of the credential.`;
    throw new FailureError(failure('SOURCE_ERROR', message, {}, false));
  }
}

/** Swift leaves out the quotes around the tag of an object that is no manifest; it knows it again with them. */
function withQuotedTag(headers: ResponseHeaders): ResponseHeaders {
  const etag = headerText(headers, 'etag');
  return etag !== undefined && /^[0-9a-f]{32}$/.test(etag) ? { ...headers, etag: `"${etag}"` } : headers;
}

function asSourceError(error: unknown, now: Date): unknown {
  if (error instanceof StatusError) return new FailureError(statusFailure(error.url, error.status, error.headers, now), { cause: error });
  if (error instanceof EndpointError) return new FailureError(connectionFailure(error.url, error.cause as Error), { cause: error });
  if (error instanceof LoginError) return new FailureError(failure('SOURCE_FORBIDDEN', error.message), { cause: error });
  return error;
}
