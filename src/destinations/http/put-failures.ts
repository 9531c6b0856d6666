import { failure } from '../../domain/failures.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import { displayUrl } from '../../sources/display-url.ts';
import { headerText } from '../../sources/header-text.ts';
import { retryAfterSeconds } from '../../sources/http-failures.ts';
import type { ResponseHeaders } from '../../sources/http-question.ts';

/** Statuses other than 5xx after which another attempt may succeed: Request Timeout, Too Early, Too Many Requests. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** What the answer to a PUT says of the destination, where it is neither success nor "it exists" nor a redirect that is followed. */
export function putFailure(url: URL, status: number, headers: ResponseHeaders, now: Date): Failure {
  const metadata: Record<string, string> = { http_status: String(status) };
  const answered = `${displayUrl(url)} answered ${status}`;
  switch (status) {
    case 401:
    case 403:
    case 407:
      return failure('DESTINATION_FORBIDDEN', `${answered}: it may not be written without a credential, or not with this one.`, metadata);
    case 413:
    case 507:
      return failure('DESTINATION_FULL', `${answered}: it has no room for the image. Make room there.`, metadata);
    case 301:
    case 302:
    case 303:
      return failure('DESTINATION_UNREACHABLE', `${answered}: a redirect that is no way for a PUT. Name the address that it leads to.`, metadata, false);
    default:
      break;
  }
  const mayPass = passingStatuses.has(status) || status >= 500;
  const retryAfter = mayPass ? retryAfterSeconds(headerText(headers, 'retry-after'), now) : undefined;
  if (retryAfter !== undefined) metadata['retry_after_seconds'] = String(retryAfter);
  const remedy = mayPass ? 'Try again later.' : 'Check the address, and that the server takes PUT.';
  return failure('DESTINATION_UNREACHABLE', `${answered} instead of taking the image. ${remedy}`, metadata, mayPass);
}

/** A server said that it was done before it can have been. */
export function answeredTooEarly(url: URL, status: number, sentBytes: number, sizeBytes: number): Failure {
  const message = `${displayUrl(url)} answered ${status} after ${sentBytes} of ${sizeBytes} bytes. Ask whoever runs the destination.`;
  return failure('DESTINATION_UNREACHABLE', message, { http_status: String(status), bytes_sent: String(sentBytes) }, false);
}

/** A server said that it has the image, and shows nothing at its address. */
export function takenAndGone(url: URL, status: number): Failure {
  const message = `${displayUrl(url)} answered ${status} and then shows nothing there. Check that the address that is written is also the one that is read.`;
  return failure('DESTINATION_UNREACHABLE', message, { http_status: String(status) });
}
