import { createHash } from 'node:crypto';
import type { HttpCredential } from '../../credentials/credential.ts';
import { FailureError } from '../../domain/failures.ts';
import { authorized } from '../../sources/authorize.ts';
import { followRedirects } from '../../sources/follow-redirects.ts';
import type { HttpConnections } from '../../sources/http-connections.ts';
import type { ExchangeLimits } from '../../sources/http-exchange.ts';
import { wholeContent } from '../../sources/http-question.ts';
import type { HttpQuestion } from '../../sources/http-question.ts';
import type { Receiver, SourceStart } from '../../sources/source.ts';
import type { BytesFound } from '../stored-bytes.ts';

/**
 * What a GET shows of an address: nothing, bytes that are among `ours`, others, that it may not be read, or that the destination does not
 * answer as it should at the moment.
 */
export type UrlFound =
  | { readonly kind: 'absent' | 'foreign' }
  | { readonly kind: 'ours'; readonly bytes: BytesFound; readonly etag: string | undefined }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'broken'; readonly error: FailureError };

/** The size that was announced is none of ours: the content need not be read. */
class ForeignSizeError extends Error {
  override readonly name = 'ForeignSizeError';
}

/** Reads what lies at an address, at most as far as it may be one of `ours`. Rejects with the signal's reason. */
export async function lookAtUrl(
  url: URL, ours: readonly BytesFound[], limits: Omit<ExchangeLimits, 'maxImageBytes'>, connections: HttpConnections,
  credential: HttpCredential | undefined, signal: AbortSignal,
): Promise<UrlFound> {
  signal.throwIfAborted();
  const reader = new Reader(ours);
  const bounded = { ...limits, maxImageBytes: Math.max(...ours.map(({ sizeBytes }) => sizeBytes)) };
  try {
    await followRedirects(url, bounded, connections, authorized((at) => uncached(wholeContent(at, bounded)), credential), reader, signal);
  } catch (error) {
    if (error instanceof ForeignSizeError) return { kind: 'foreign' };
    if (error instanceof FailureError) return foundBy(error);
    throw error;
  }
  const bytes = reader.bytes();
  return ours.some(({ digest, sizeBytes }) => digest === bytes.digest && sizeBytes === bytes.sizeBytes)
    ? { kind: 'ours', bytes, etag: reader.etag }
    : { kind: 'foreign' };
}

/** A cache on the way may remember that there was nothing. */
function uncached(question: HttpQuestion): HttpQuestion {
  return { ...question, headers: { ...question.headers, 'cache-control': 'no-cache' } };
}

function foundBy(error: FailureError): UrlFound {
  const { reason, metadata, retryable } = error.failure;
  if (reason === 'REASON_SOURCE_NOT_FOUND') return { kind: 'absent' };
  if (reason === 'REASON_SOURCE_TOO_LARGE') return { kind: 'foreign' };
  // An answer of 200 that cannot be read, being encoded or longer than announced: something is there, and nobody can say that it is ours.
  if (metadata['content_encoding'] !== undefined || reason === 'REASON_SOURCE_CHANGED') return { kind: 'foreign' };
  // A server that takes PUT alone says so by 405 or 501, or with whatever it likes; one that is ill for a while says nothing.
  const isLasting = !retryable || metadata['http_status'] === '501';
  const hasAnswered = metadata['http_status'] !== undefined || reason === 'REASON_SOURCE_FORBIDDEN' || reason === 'REASON_SOURCE_ERROR';
  return isLasting && hasAnswered ? { kind: 'unreadable' } : { kind: 'broken', error };
}

class Reader implements Receiver {
  readonly #hash = createHash('sha256');
  readonly #ours: readonly BytesFound[];
  #sizeBytes = 0;
  etag: string | undefined;

  constructor(ours: readonly BytesFound[]) {
    this.#ours = ours;
  }

  begin({ sizeBytes, facts }: SourceStart): void {
    this.etag = facts['etag'];
    if (sizeBytes !== undefined && !this.#ours.some((own) => own.sizeBytes === sizeBytes)) throw new ForeignSizeError();
  }

  receive(chunk: Uint8Array): undefined {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
  }

  bytes(): BytesFound {
    return { sizeBytes: this.#sizeBytes, digest: `sha256:${this.#hash.digest('hex')}` };
  }
}
