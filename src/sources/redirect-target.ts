import { FailureError, failure } from '../domain/failures.ts';
import { checkSourceUri } from './check-source-uri.ts';
import { displayUrl } from './display-url.ts';
import type { SourceAllow } from './source-allow.ts';
import { characterFault } from './uri-spelling.ts';

/**
 * Where a redirect leads, checked as the first address was, its spelling too: http or https only, nothing that is never
 * contacted or not allowed, and never from https to http. Nothing secret goes along: whoever asks there adds anew what
 * belongs to that host. Throws FailureError.
 */
export function redirectTarget(from: URL, location: string | undefined, sourceAllow: SourceAllow): URL {
  const shown = displayUrl(from);
  if (location === undefined || location === '') {
    throw new FailureError(failure('SOURCE_ERROR', `${shown} redirects to nowhere: no valid Location.`, {}, false));
  }
  const refuse = (message: string): never => {
    throw new FailureError(failure('SOURCE_NOT_ALLOWED', `${shown} redirects to an address that is refused. ${message}`));
  };
  const odd = characterFault(location);
  if (odd !== undefined) return refuse(odd);
  const target = absoluteText(from, location);
  // Whatever the server's settings are, nobody is led from the web to a file or an object.
  if (!/^https?:/i.test(target)) return refuse('It is no http or https URL.');
  const checked = checkSourceUri(target, { fileRoots: [], sourceAllow });
  if (!checked.ok) return refuse(checked.message);
  if (checked.kind !== 'http') return refuse('It is no http or https URL.');
  if (from.protocol === 'https:' && checked.url.protocol === 'http:') {
    throw new FailureError(failure('SOURCE_NOT_ALLOWED', `${shown} redirects from https to http, which would lose its protection.`));
  }
  return checked.url;
}

/** The Location with scheme and host, both as they were sent where it has them; without, they are those of `from`. */
function absoluteText(from: URL, location: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return location;
  return location.startsWith('//') ? from.protocol + location : new URL(location, from).href;
}
