import { FailureError, failure } from '../../domain/failures.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import { displayUrl } from '../../sources/display-url.ts';
import { connectionFailure, retryAfterOf } from '../../sources/http-failures.ts';
import { EndpointError, StatusError } from '../../sources/objects/endpoint-error.ts';
import { LoginError } from '../../sources/swift/swift-session.ts';
import { OutcomeUnknownError } from './object-way.ts';

/** Statuses other than 5xx after which another try may succeed: Request Timeout, Conflict of two requests, Too Early, Too Many Requests. */
const passingStatuses: ReadonlySet<number> = new Set([408, 409, 425, 429, 499]);

/** 5xx that another try does not change: Not Implemented, Insufficient Storage. */
const lastingStatuses: ReadonlySet<number> = new Set([501, 507]);

function isPassing(status: number): boolean {
  return passingStatuses.has(status) || (status >= 500 && !lastingStatuses.has(status));
}

/** Whether the entry to the store had expired: nothing was taken, and the same request may succeed at once, though not time and again. */
export function isExpired(error: unknown): boolean {
  return error instanceof StatusError && error.isExpired;
}

/** Whether the same request may succeed a little later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof StatusError) return isPassing(error.status);
  return error instanceof EndpointError && connectionFailure(error.url, error.cause as Error).retryable;
}

/** For how long a store wants to be left alone; undefined: it does not say. */
function secondsToWait({ status, headers }: StatusError): number | undefined {
  return isPassing(status) ? retryAfterOf(headers) : undefined;
}

/** The same in milliseconds, of whatever a request failed with; 0: it does not say. */
export function retryAfterMs(error: unknown): number {
  const cause = error instanceof OutcomeUnknownError ? error.cause : error;
  return cause instanceof StatusError ? (secondsToWait(cause) ?? 0) * 1_000 : 0;
}

/** What went wrong with an object store, as the failure of a delivery; anything else stays as it is. */
export function asDeliveryError(error: unknown): unknown {
  if (error instanceof StatusError) return new FailureError(statusFailure(error), { cause: error });
  if (error instanceof LoginError) return new FailureError(failure('DESTINATION_FORBIDDEN', error.message), { cause: error });
  if (!(error instanceof EndpointError)) return error;
  const { message, metadata, retryable } = connectionFailure(error.url, error.cause as Error);
  return new FailureError(failure('DESTINATION_UNREACHABLE', message.replace(/\bsource\b/g, 'destination'), metadata, retryable), { cause: error });
}

function statusFailure(error: StatusError): Failure {
  const { url, status, code } = error;
  const retryAfter = secondsToWait(error);
  const metadata = {
    http_status: String(status),
    ...(code === '' ? {} : { code }),
    ...(retryAfter === undefined ? {} : { retry_after_seconds: String(retryAfter) }),
  };
  const answered = `${displayUrl(url)} answered ${status}${code === '' ? '' : ` (${code})`}`;
  if (status === 401 || status === 403) {
    // Without the right to list, S3 answers 403 where there is nothing.
    const rights = url.protocol === 's3:' ? ' (it needs s3:PutObject, s3:GetObject, s3:ListBucket and s3:AbortMultipartUpload)' : '';
    return failure('DESTINATION_FORBIDDEN', `${answered}: nothing may be written there with this credential. Name one that may${rights}.`, metadata);
  }
  if (code === 'NoSuchUpload') {
    return failure('DESTINATION_UNREACHABLE', `${answered}: somebody ended the upload before it was complete. Try again.`, metadata);
  }
  if (status === 404) {
    return failure('DESTINATION_UNREACHABLE', `${answered}: the bucket or container does not exist. Make it, or check its name.`, metadata, false);
  }
  if (status === 413 || status === 507) {
    return failure('DESTINATION_FULL', `${answered}: there is no room for the object, or its quota is used up. Make room there.`, metadata);
  }
  const remedy = isPassing(status) ? 'Try again later.' : 'Ask whoever runs the destination.';
  return failure('DESTINATION_UNREACHABLE', `${answered}. ${remedy}`, metadata, isPassing(status));
}

/** An object was in the way and is gone. */
export function objectVanished(location: string): FailureError {
  return new FailureError(failure('DESTINATION_UNREACHABLE', `Something was at ${location} a moment ago, and is gone. Try again.`));
}
