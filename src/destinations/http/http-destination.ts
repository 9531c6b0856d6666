import type { HttpCredential } from '../../credentials/credential.ts';
import { FailureError, failure } from '../../domain/failures.ts';
import { authorizationFor } from '../../sources/authorize.ts';
import { displayUrl } from '../../sources/display-url.ts';
import type { HttpConnections } from '../../sources/http-connections.ts';
import type { ExchangeLimits } from '../../sources/http-exchange.ts';
import { connectionFailure } from '../../sources/http-failures.ts';
import { redirectTarget } from '../../sources/redirect-target.ts';
import { headerText } from '../../sources/header-text.ts';
import { destinationExists, destinationMayBeLeft, leftBehind, otherBytesStored } from '../delivery-failures.ts';
import type { Artefact, Delivered, Delivery } from '../destination.ts';
import { locationOf } from '../location-of.ts';
import { asDestinationError } from '../destination-text.ts';
import { deleteUrl } from './delete-url.ts';
import { lookAtUrl, type UrlFound } from './look-at-url.ts';
import { PutExchange, type PutEnding } from './put-exchange.ts';
import { answeredTooEarly, putFailure, takenAndGone } from './put-failures.ts';

/** What http destinations work with. */
export interface HttpDestinationDeps {
  readonly limits: Omit<ExchangeLimits, 'maxImageBytes'>;
  readonly connections: HttpConnections;
  /** Sent to its hosts, and to no other. */
  readonly credential?: HttpCredential | undefined;
}

/** Redirects followed at most. */
const redirectLimit = 5;

/** After a PUT that failed, what it has left there is looked for so long. */
const aftermathMs = 10_000;

/** How a PUT ended that was answered as it should be. */
interface Answer {
  readonly kind: 'taken' | 'exists';
  /** Where it led. */
  readonly url: URL;
  readonly status: number;
}

/**
 * Puts the artefact where an http or https URL leads; see `Destinations.deliver`. A server may ignore `If-None-Match`, so the address is
 * read before, where it may be; and after, since a server may store anything.
 */
export async function deliverHttp(first: URL, artefact: Artefact, delivery: Delivery, deps: HttpDestinationDeps): Promise<Delivered> {
  const { signal } = delivery;
  const before = await look(first, delivery, deps, signal);
  if (before.kind === 'broken') throw unreadable(first, before.error, delivery);
  if (before.kind === 'ours' || before.kind === 'foreign') return existing(first, before, delivery);
  const answer = await put(first, artefact, delivery, deps);
  if ('delivered' in answer) return answer.delivered;
  if (answer.kind === 'exists') return refusedAsExisting(answer, delivery, deps);
  const unread = { location: locationOf(answer.url), digest: artefact.digest, sizeBytes: artefact.sizeBytes };
  // It is there now, whatever becomes of the task: nobody waits for it to be read.
  if (signal.aborted) return { ...unread, verified: false };
  const after = await look(answer.url, delivery, deps, signal).catch((error: unknown) => {
    if (signal.aborted) return { kind: 'unreadable' } as const;
    throw error;
  });
  switch (after.kind) {
    case 'ours':
      return { ...unread, ...after.bytes, verified: true };
    case 'absent':
      throw leftBehind(new FailureError(takenAndGone(answer.url, answer.status)), unread.location);
    case 'unreadable':
      return { ...unread, verified: false };
    case 'foreign':
      throw leftBehind(otherBytesStored(unread.location, artefact, {}), unread.location);
    case 'broken':
      throw leftBehind(asDestinationError(after.error), unread.location);
    default:
      return after satisfies never;
  }
}

/** Deletes what lies at a URL, where it still has the digest; see `Destinations.withdraw`. */
export async function withdrawHttp(url: URL, delivered: Delivered, signal: AbortSignal, deps: HttpDestinationDeps): Promise<boolean> {
  const found = await look(url, { ours: [delivered] }, deps, signal);
  // What a redirect led elsewhere may still lie there, whatever this address shows by now.
  if (found.kind === 'absent' || found.kind === 'foreign') return delivered.location === locationOf(url);
  if (found.kind !== 'ours') return false;
  const headers = { ...authorizationFor(url, deps.credential), ...ifMatch(found.etag) };
  const status = await deleteUrl(url, headers, deps.limits.idleTimeoutMs, deps.connections, signal);
  return status === 404 || status === 410 || (status >= 200 && status < 300);
}

async function put(
  first: URL, artefact: Artefact, delivery: Delivery, deps: HttpDestinationDeps,
): Promise<Answer | { readonly delivered: Delivered }> {
  let url = first;
  for (let redirects = 0; redirects <= redirectLimit; redirects += 1) {
    const ending = await putOnce(url, artefact, delivery, deps);
    const judged = judge(url, ending, artefact, deps);
    if (judged.kind === 'elsewhere') {
      url = judged.url;
      // A GET may have been led to another address than the PUT.
      const there = await look(url, delivery, deps, delivery.signal);
      if (there.kind === 'broken') throw unreadable(url, there.error, delivery);
      if (there.kind === 'ours' || there.kind === 'foreign') return { delivered: existing(url, there, delivery) };
    } else if (judged.kind === 'failed') {
      return afterFailure(url, judged.error, ending, delivery, deps);
    } else {
      return judged;
    }
  }
  throw new FailureError(failure('DESTINATION_UNREACHABLE', `${displayUrl(first)} redirects more than ${redirectLimit} times.`, {}, false));
}

async function putOnce(
  url: URL, artefact: Artefact, delivery: Delivery, { connections, limits, credential }: HttpDestinationDeps,
): Promise<PutEnding> {
  // A connection that was used before may be closed already, and nobody could tell whether the PUT had come.
  const connection = connections.lend(url.origin, true);
  try {
    return await new PutExchange(connection, url, artefact, limits.idleTimeoutMs, authorizationFor(url, credential)).run(delivery);
  } finally {
    connections.discard(connection);
  }
}

type Judged = Answer | { readonly kind: 'elsewhere'; readonly url: URL } | { readonly kind: 'failed'; readonly error: unknown };

function judge(url: URL, ending: PutEnding, { sizeBytes }: Artefact, { limits }: HttpDestinationDeps): Judged {
  if (ending.kind === 'broken') {
    const { reason, message, metadata, retryable } = connectionFailure(url, ending.error);
    const told = { reason, message, metadata: { ...metadata, bytes_sent: String(ending.sentBytes) }, retryable, stage: '' };
    return { kind: 'failed', error: asDestinationError(new FailureError(told, { cause: ending.error })) };
  }
  const { status, headers, isWhole, sentBytes } = ending;
  if (status === 409 || status === 412) return { kind: 'exists', url, status };
  if (status === 307 || status === 308) {
    try {
      return { kind: 'elsewhere', url: redirectTarget(url, headerText(headers, 'location'), limits.sourceAllow) };
    } catch (error) {
      throw asDestinationError(error);
    }
  }
  if (status >= 300) return { kind: 'failed', error: new FailureError(putFailure(url, status, headers, limits.now())) };
  return isWhole
    ? { kind: 'taken', url, status }
    : { kind: 'failed', error: new FailureError(answeredTooEarly(url, status, sentBytes, sizeBytes)) };
}

/** A PUT failed: it may have left something, or, where only the answer was lost, all of it. */
async function afterFailure(
  url: URL, error: unknown, { isWhole, sentBytes }: PutEnding, delivery: Delivery, deps: HttpDestinationDeps,
): Promise<{ readonly delivered: Delivered }> {
  delivery.signal.throwIfAborted();
  if (sentBytes === 0) throw error;
  const soon = AbortSignal.any([delivery.signal, AbortSignal.timeout(aftermathMs)]);
  const found = await look(url, delivery, deps, soon).catch(() => ({ kind: 'unreadable' }) as const);
  if (found.kind === 'ours' && isWhole) return { delivered: { location: locationOf(url), ...found.bytes, verified: true } };
  throw found.kind === 'absent' ? error : leftBehind(error, locationOf(url));
}

/** 409 is also what a server says that lacks the folder (RFC 4918, 9.7.1): then nothing is there. */
async function refusedAsExisting({ url, status }: Answer, delivery: Delivery, deps: HttpDestinationDeps): Promise<Delivered> {
  const found = await look(url, delivery, deps, delivery.signal);
  if (found.kind === 'broken') throw unreadable(url, found.error, delivery);
  if (found.kind === 'absent' && status === 409) throw new FailureError(putFailure(url, status, {}, deps.limits.now()));
  return existing(url, found, delivery);
}

function existing(url: URL, found: UrlFound, { attempt }: Delivery): Delivered {
  const location = locationOf(url);
  if (found.kind !== 'ours') throw attempt > 1 && found.kind === 'foreign' ? destinationMayBeLeft(location) : destinationExists(location);
  return { location, digest: found.bytes.digest, sizeBytes: found.bytes.sizeBytes, verified: true, existed: true };
}

/** Where the reading had begun something is there, which an earlier attempt may have left. */
function unreadable(url: URL, found: FailureError, { attempt }: Delivery): unknown {
  const error = asDestinationError(found);
  return attempt > 1 && found.failure.metadata['bytes_received'] !== undefined ? leftBehind(error, locationOf(url)) : error;
}

function look(
  url: URL, { ours }: Pick<Delivery, 'ours'>, { limits, connections, credential }: HttpDestinationDeps, signal: AbortSignal,
): Promise<UrlFound> {
  return lookAtUrl(url, ours, limits, connections, credential, signal);
}

function ifMatch(etag: string | undefined): Record<string, string> {
  return etag?.startsWith('"') === true ? { 'if-match': etag } : {};
}

