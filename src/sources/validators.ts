import { headerText } from './header-text.ts';
import type { ResponseHeaders } from './http-question.ts';
import { factLimit } from './source.ts';
import type { Validators } from './source.ts';

/**
 * A date says which content it was only if that was at rest: if the answer was made so long after the last change (RFC 9110,
 * 8.8.2.2 asks for a second, its forerunner for a minute).
 */
const restingMs = 1_000;

/**
 * The validators of an answer, where one of them is strong; undefined where none is: two contents may then look the same. A weak
 * tag beside a strong date is kept, to be compared.
 */
export function validatorsOf(headers: ResponseHeaders): Validators | undefined {
  const etag = textOf(headers, 'etag');
  const lastModified = textOf(headers, 'last-modified');
  const restedMs = Date.parse(headerText(headers, 'date') ?? '') - Date.parse(lastModified ?? '');
  if (!isStrongTag(etag) && !(restedMs >= restingMs)) return undefined;
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

/** What to send as If-Range; undefined where it may not be sent: neither a weak tag nor, beside one, a date (RFC 9110, 13.1.5). */
export function ifRangeOf({ etag, lastModified }: Validators): string | undefined {
  if (etag !== undefined) return isStrongTag(etag) ? etag : undefined;
  return lastModified;
}

/** Whether a part that was sent is, by its header, of the content that these validators are of. */
export function isOfContent(headers: ResponseHeaders, validators: Validators): boolean {
  const { etag, lastModified } = validators;
  if (headerText(headers, 'etag') !== etag) return false;
  const date = headerText(headers, 'last-modified');
  // An answer to If-Range may leave the date out (RFC 9110, 15.3.7).
  return date === lastModified || (date === undefined && ifRangeOf(validators) !== undefined);
}

/** Whether validators are of the same content. */
export function areSame(one: Validators | undefined, other: Validators | undefined): boolean {
  return one?.etag === other?.etag && one?.lastModified === other?.lastModified;
}

function isStrongTag(etag: string | undefined): boolean {
  return etag?.startsWith('"') === true;
}

/** One that is too long to be kept is as good as none. */
function textOf(headers: ResponseHeaders, name: string): string | undefined {
  const text = headerText(headers, name);
  return text !== undefined && text.length <= factLimit ? text : undefined;
}
