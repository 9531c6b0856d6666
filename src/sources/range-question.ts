import { FailureError, failure } from '../domain/failures.ts';
import { displayUrl } from './display-url.ts';
import { headerText } from './header-text.ts';
import { statusFailure } from './http-failures.ts';
import { checkEncoding, checkSize, factsOf } from './http-question.ts';
import type { AnswerLimits, HttpQuestion, ResponseHeaders } from './http-question.ts';
import { RangesUnsupportedError } from './source.ts';

/** What the first answer said of the content, to which later ones are held. */
export interface PinnedContent {
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** The bytes that are asked for. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Asks for the first bytes of a content of unknown size, which the answer tells. A server that sends something else than a
 * part, or does not know the size, does not serve ranges: RangesUnsupportedError, before the body is read. `learn` is told of
 * the answer. An empty content has no part to send (RFC 9110, 15.5.17).
 */
export function firstRange(url: URL, length: number, limits: AnswerLimits, learn: (content: PinnedContent) => void): HttpQuestion {
  return {
    headers: { range: `bytes=0-${length - 1}` },
    accept(status, headers) {
      if (status === 200) throw new RangesUnsupportedError(displayUrl(url));
      const isEmpty = status === 416 && headerText(headers, 'content-range') === 'bytes */0';
      if (status !== 206 && !isEmpty) throw new FailureError(statusFailure(url, status, headers, limits.now()));
      checkEncoding(url, headers);
      const sizeBytes = isEmpty ? 0 : totalOf(headers);
      if (sizeBytes === undefined) throw new RangesUnsupportedError(displayUrl(url));
      checkSize(url, sizeBytes, limits);
      const range = { offset: 0, length: Math.min(length, sizeBytes) };
      if (!isEmpty) checkRange(url, headers, range, sizeBytes);
      learn({ sizeBytes, etag: headerText(headers, 'etag'), lastModified: headerText(headers, 'last-modified') });
      return { offsetBytes: 0, sizeBytes: range.length, facts: factsOf(url, headers) };
    },
  };
}

/**
 * Asks for more bytes of a content that the first answer pinned, which must not have become another. With a strong tag the
 * server is asked to send all of it in that case (If-Range; RFC 9110, 13.1.5: neither with a weak tag nor with a date that may
 * be one); tag, date and size are compared whatever it does. Only an answer to If-Range may leave out the date (15.3.7).
 */
export function furtherRange(url: URL, range: ByteRange, content: PinnedContent, limits: AnswerLimits): HttpQuestion {
  const last = range.offset + range.length - 1;
  const strongTag = content.etag?.startsWith('"') === true ? content.etag : undefined;
  return {
    headers: { range: `bytes=${range.offset}-${last}`, ...(strongTag === undefined ? {} : { 'if-range': strongTag }) },
    accept(status, headers) {
      if (status === 200 || status === 416) throw changed(url, `answered ${status} where it had sent parts before`);
      if (status !== 206) throw new FailureError(statusFailure(url, status, headers, limits.now()));
      checkEncoding(url, headers);
      if (headerText(headers, 'etag') !== content.etag) throw changed(url, 'sent another ETag than before');
      const date = headerText(headers, 'last-modified');
      const mayLackDate = date === undefined && strongTag !== undefined;
      if (date !== content.lastModified && !mayLackDate) throw changed(url, 'sent another Last-Modified than before');
      const sizeBytes = totalOf(headers);
      if (sizeBytes !== undefined && sizeBytes !== content.sizeBytes) {
        throw changed(url, `is ${sizeBytes} bytes long now, and was ${content.sizeBytes} before`);
      }
      checkRange(url, headers, range, content.sizeBytes);
      return { offsetBytes: 0, sizeBytes: range.length, facts: factsOf(url, headers) };
    },
  };
}

/** The size that a Content-Range states; undefined where it states none, or there is no such header. */
function totalOf(headers: ResponseHeaders): number | undefined {
  const [, total] = /^bytes [^/]*\/(\d{1,15})$/.exec(headerText(headers, 'content-range') ?? '') ?? [];
  return total === undefined ? undefined : Number(total);
}

/** A part must be the very one that was asked for, though a server may send less: nobody here asks for more than he needs. */
function checkRange(url: URL, headers: ResponseHeaders, { offset, length }: ByteRange, sizeBytes: number): void {
  const sent = headerText(headers, 'content-range') ?? 'none';
  const wanted = `bytes ${offset}-${offset + length - 1}/${sizeBytes}`;
  const announced = headerText(headers, 'content-length') ?? String(length);
  if (sent === wanted && announced === String(length)) return;
  const found = sent === wanted ? `a body of ${announced.slice(0, 20)} bytes` : `the range "${sent.slice(0, 100)}"`;
  const message = `${displayUrl(url)} sent ${found} where "${wanted}" was asked for. Ask whoever runs the source.`;
  throw new FailureError(failure('SOURCE_ERROR', message, { range_asked: wanted, range_sent: sent.slice(0, 100) }, false));
}

function changed(url: URL, what: string): FailureError {
  return new FailureError(failure('SOURCE_CHANGED', `${displayUrl(url)} ${what}: the content has changed. Try again once it rests.`));
}
