import { FailureError, failure } from '../domain/failures.ts';
import { checkSourceUri } from './check-source-uri.ts';
import { displayUrl } from './display-url.ts';

/**
 * Where a redirect leads, checked as the first address was: http or https only, nothing that is never contacted, and never
 * from https to http. Throws FailureError.
 */
export function redirectTarget(from: URL, location: string | undefined): URL {
  const shown = displayUrl(from);
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new FailureError(failure('SOURCE_ERROR', `${shown} redirects to nowhere: no valid Location.`, {}, false));
  }
  const target = new URL(location, from);
  const checked = checkSourceUri(target.href, { fileRoots: [] });
  if (!checked.ok) throw new FailureError(failure('SOURCE_NOT_ALLOWED', `${shown} redirects to an address that is refused. ${checked.message}`));
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new FailureError(failure('SOURCE_NOT_ALLOWED', `${shown} redirects from https to http, which would lose its protection.`));
  }
  return target;
}
