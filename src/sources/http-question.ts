import { FailureError, failure } from '../domain/failures.ts';
import { displayUrl } from './display-url.ts';
import { headerText } from './header-text.ts';
import { statusFailure, tooLargeFailure } from './http-failures.ts';
import { factLimit } from './source.ts';
import type { SourceStart } from './source.ts';
import { validatorsOf } from './validators.ts';

/** The header of a response, names in lower case. */
export type ResponseHeaders = Record<string, string | string[] | undefined>;

/** What is asked of a server beside the URL, and which answer is one. */
export interface HttpQuestion {
  /** How messages show what is asked; absent: as the URL. */
  readonly shown?: URL;
  /** Beside those that every request has. Secrets among them are for the server of the URL that is asked, and are never shown. */
  readonly headers: Readonly<Record<string, string>>;
  /** Judges the header of an answer that is no redirect; throws, mostly FailureError, where the body is not to be read. */
  accept(status: number, headers: ResponseHeaders): SourceStart;
}

/** What answers are judged by. */
export interface AnswerLimits {
  readonly maxImageBytes: number;
  readonly now: () => Date;
}

/** Asks for all of the content. */
export function wholeContent(url: URL, limits: AnswerLimits): HttpQuestion {
  return {
    headers: {},
    accept(status, headers) {
      if (status !== 200) throw new FailureError(statusFailure(url, status, headers, limits.now()));
      checkEncoding(url, headers);
      const length = headerText(headers, 'content-length');
      const sizeBytes = length === undefined ? undefined : Number(length);
      if (sizeBytes !== undefined) checkSize(url, sizeBytes, limits);
      const validators = validatorsOf(headers);
      return { offsetBytes: 0, sizeBytes, ...(validators === undefined ? {} : { validators }), facts: factsOf(url, headers) };
    },
  };
}

/** Throws where the content is larger than the operator takes. */
export function checkSize(url: URL, sizeBytes: number, { maxImageBytes }: AnswerLimits): void {
  if (sizeBytes > maxImageBytes) throw new FailureError(tooLargeFailure(displayUrl(url), sizeBytes, maxImageBytes));
}

/** Throws where the body is encoded, other than in chunks, which are undone before it is received. */
export function checkEncoding(url: URL, headers: ResponseHeaders): void {
  const encoding = foreignEncoding(headers);
  if (encoding === undefined) return;
  const message = `${displayUrl(url)} sent the content encoded as ${encoding} although it was asked not to.`;
  throw new FailureError(failure('SOURCE_ERROR', message, { content_encoding: encoding }, false));
}

function foreignEncoding(headers: ResponseHeaders): string | undefined {
  const content = headerText(headers, 'content-encoding') ?? '';
  if (content !== '' && content.toLowerCase() !== 'identity') return content.slice(0, factLimit);
  const transfer = headerText(headers, 'transfer-encoding') ?? '';
  return transfer === '' || transfer.toLowerCase() === 'chunked' ? undefined : transfer.slice(0, factLimit);
}

/** What a response says of the content; see `SourceStart.facts`. */
export function factsOf(url: URL, headers: ResponseHeaders): Record<string, string> {
  const facts: Record<string, string> = { host: url.host.slice(0, factLimit) };
  for (const name of ['etag', 'last-modified', 'content-type']) {
    const value = headerText(headers, name);
    if (value !== undefined) facts[name.replace('-', '_')] = value.slice(0, factLimit);
  }
  return facts;
}
