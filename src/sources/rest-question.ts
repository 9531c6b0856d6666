import { checkEncoding, factsOf, wholeContent } from './http-question.ts';
import type { AnswerLimits, HttpQuestion, ResponseHeaders } from './http-question.ts';
import { headerText } from './header-text.ts';
import type { ResumePoint } from './source.ts';
import { ifRangeOf, isOfContent } from './validators.ts';

/** The answer is no part of the content that was begun, and no whole content either: ask for that. */
export class NotTheRestError extends Error {
  override readonly name = 'NotTheRestError';
}

/**
 * Asks for what comes behind a point of a content. The answer is that, or all of a content: the server may have another by now, or
 * send no parts. Throws NotTheRestError, before the body is read, for a part of something else or of another size, and where the
 * server has no such part.
 */
export function restOf(url: URL, point: ResumePoint, limits: AnswerLimits): HttpQuestion {
  const { offsetBytes, sizeBytes, validators } = point;
  const ifRange = ifRangeOf(validators);
  return {
    headers: { range: `bytes=${offsetBytes}-`, ...(ifRange === undefined ? {} : { 'if-range': ifRange }) },
    accept(status, headers) {
      if (status === 416) throw new NotTheRestError();
      if (status !== 206) return wholeContent(url, limits).accept(status, headers);
      checkEncoding(url, headers);
      if (!isOfContent(headers, validators) || !isRest(headers, point)) throw new NotTheRestError();
      return { offsetBytes, sizeBytes, validators, facts: factsOf(url, headers) };
    },
  };
}

/** Nothing less is taken than all of the rest. */
function isRest(headers: ResponseHeaders, { offsetBytes, sizeBytes }: ResumePoint): boolean {
  const length = headerText(headers, 'content-length') ?? String(sizeBytes - offsetBytes);
  return headerText(headers, 'content-range') === `bytes ${offsetBytes}-${sizeBytes - 1}/${sizeBytes}` && length === String(sizeBytes - offsetBytes);
}
