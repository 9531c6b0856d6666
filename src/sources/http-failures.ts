import type { IncomingHttpHeaders } from 'undici/types/header.js';
import { failure } from '../domain/failures.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { displayUrl } from './display-url.ts';
import { AddressRefusedError } from './guarded-lookup.ts';
import { headerText } from './header-text.ts';

/** A Retry-After of more seconds than this (a day) is cut to it. */
const retryAfterLimitSeconds = 86_400;

/** Statuses other than 5xx after which another attempt may succeed: Request Timeout, Too Early, Too Many Requests. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** Codes of undici for a header that is no good: too large, or of several lengths. */
const headerFaults: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

/** What a status other than 200, and no redirect, says of the source. `now` is what a Retry-After date is compared with. */
export function statusFailure(url: URL, status: number, headers: IncomingHttpHeaders, now: Date): Failure {
  const metadata: Record<string, string> = { http_status: String(status) };
  const answered = `${displayUrl(url)} answered ${status}`;
  if (status === 404 || status === 410) {
    return failure('SOURCE_NOT_FOUND', `${answered}: there is nothing at this address. Check the path.`, metadata);
  }
  if (status === 401 || status === 403) {
    return failure('SOURCE_FORBIDDEN', `${answered}: it may not be read without a credential, or not with this one.`, metadata);
  }
  const mayPass = passingStatuses.has(status) || status >= 500;
  const retryAfter = mayPass ? retryAfterSeconds(headerText(headers, 'retry-after'), now) : undefined;
  if (retryAfter !== undefined) metadata['retry_after_seconds'] = String(retryAfter);
  const remedy = mayPass ? 'Try again later.' : 'Ask whoever runs the source.';
  return failure('SOURCE_ERROR', `${answered} instead of 200. ${remedy}`, metadata, mayPass);
}

/** The content is larger than the operator takes. */
export function tooLargeFailure(shown: string, sizeBytes: number, maxImageBytes: number): Failure {
  const message = `${shown} is larger than the limit of ${maxImageBytes} bytes.`;
  return failure('SOURCE_TOO_LARGE', message, { bytes: String(sizeBytes), max_image_bytes: String(maxImageBytes) });
}

/** What went wrong before a response came: no address, no connection, no TLS, no answer, or one that is not HTTP. */
export function connectionFailure(url: URL, error: Error): Failure {
  const code = codeOf(error);
  const shown = displayUrl(url);
  const metadata = { system_error: code };
  if (error instanceof AddressRefusedError) {
    return failure('SOURCE_NOT_ALLOWED', error.verdict === 'never'
      ? `The host of ${shown} resolves to a link-local or metadata address, which is never contacted.`
      : `The host of ${shown} resolves to a private address, which the setting source-allow does not open. Ask the operator to open it.`);
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return failure('SOURCE_TOO_SLOW', `${shown} took the request and then sent nothing for the idle time-out. Try again later.`, metadata);
  }
  if (isProtocolError(error) || headerFaults.has(code)) {
    return failure('SOURCE_ERROR', `${shown} sent something that is no valid HTTP response (${code}).`, metadata, false);
  }
  if (/CERT|SIGNATURE|HOSTNAME_MISMATCH/.test(code)) {
    return failure('SOURCE_UNREACHABLE', `The TLS certificate of ${shown} is not to be trusted: ${code}.`, metadata, false);
  }
  if (/SSL|TLS|EPROTO/.test(code)) {
    return failure('SOURCE_UNREACHABLE', `No TLS connection to ${shown}: ${code}. Check scheme and port.`, metadata);
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failure('SOURCE_UNREACHABLE', `The host of ${shown} has no address (${code}). Check its name.`, metadata);
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return failure('SOURCE_UNREACHABLE', `${shown} did not take the connection in time. Check the address and that the source is up.`, metadata);
  }
  return failure('SOURCE_UNREACHABLE', `${shown} refused or dropped the connection (${code}). Check that the source is up.`, metadata);
}

/** What went wrong after the response had begun. `expectedBytes` is undefined where the source had not said. */
export function bodyFailure(url: URL, error: Error, receivedBytes: number, expectedBytes: number | undefined): Failure {
  const shown = displayUrl(url);
  const metadata: Record<string, string> = { bytes_received: String(receivedBytes), system_error: codeOf(error) };
  if (expectedBytes !== undefined) metadata['bytes_expected'] = String(expectedBytes);
  if (metadata['system_error'] === 'UND_ERR_BODY_TIMEOUT') {
    return failure('SOURCE_TOO_SLOW', `${shown} sent ${receivedBytes} bytes and then nothing for the idle time-out.`, metadata);
  }
  const announced = expectedBytes === undefined ? 'before its end' : `of ${expectedBytes} announced`;
  return failure('SOURCE_TRUNCATED', `${shown} dropped the connection after ${receivedBytes} bytes ${announced}. Try again.`, metadata);
}

/** Whether an error before the response may mean only that the server had closed a connection that was kept for reuse. */
export function isDroppedConnection(error: Error): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ECONNABORTED'].includes(codeOf(error)) && !isProtocolError(error);
}

/** Whether the peer sent bytes that are no HTTP response, or no response to anything. */
export function isProtocolError(error: Error): boolean {
  return error.name === 'HTTPParserError' || error.message === 'bad response';
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** What a Retry-After header asks for, in seconds; undefined where there is none that can be read. */
export function retryAfterSeconds(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - now.getTime()) / 1_000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), retryAfterLimitSeconds);
}

/** The same of an answer, whose own clock a date is compared with. */
export function retryAfterOf(headers: IncomingHttpHeaders): number | undefined {
  return retryAfterSeconds(headerText(headers, 'retry-after'), new Date(headerText(headers, 'date') ?? ''));
}
