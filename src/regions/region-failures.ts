import { FailureError, failure } from '../domain/failures.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';

/** The region has no such image, or none any more. */
export function imageGone(region: string, imageId: string): FailureError {
  const message = `The region ${region} has no image ${imageId}, or none any more. Check the id.`;
  return new FailureError(failure('IMAGE_NOT_FOUND', message, { region, image_id: imageId }));
}

/** The region does not answer, or not now. */
export function unreachable(region: string, what: string, metadata: Readonly<Record<string, string>> = {}, cause?: unknown): FailureError {
  const message = `The region ${region} ${what}. Try again later, or ask the operator to check it and the setting regions.`;
  return new FailureError(failure('REGION_UNREACHABLE', message, { ...metadata, region }), { cause });
}

/** The region answers with a status that may pass, after so many seconds where it says. */
export function busy(region: string, status: number, retryAfter: number | undefined): FailureError {
  const wait: Record<string, string> = retryAfter === undefined ? {} : { retry_after_seconds: String(retryAfter) };
  return unreachable(region, `answered ${status}`, { http_status: String(status), ...wait });
}

/** The region wants another token, or one at all. */
export function forbidden(region: string, status: number): FailureError {
  const message = `The region ${region} answered ${status}: it wants a token, or another one. ` +
    `Ask the operator for a credential of kind lehr that is called ${region}.`;
  return new FailureError(failure('SOURCE_FORBIDDEN', message, { region, http_status: String(status) }));
}

/** The region answers what is no answer, or sends what it did not describe: that another attempt changes nothing about. */
export function senseless(region: string, what: string, metadata: Readonly<Record<string, string>> = {}): FailureError {
  const message = `The region ${region} ${what}. Ask whoever runs it.`;
  return new FailureError(failure('SOURCE_ERROR', message, { ...metadata, region }, false));
}

/**
 * What fetching or judging an image of a region failed with, told as a failure of that region. What has nothing to do with the region
 * stays as it is.
 */
export function inRegion(error: unknown, region: string, imageId: string): unknown {
  if (!(error instanceof FailureError)) return error;
  const { reason, message, metadata, retryable } = error.failure;
  if (reason === 'REASON_SOURCE_NOT_FOUND') return imageGone(region, imageId);
  if (reason === 'REASON_SOURCE_FORBIDDEN') return forbidden(region, Number(metadata['http_status']));
  if (reason === 'REASON_SOURCE_TOO_LARGE') {
    const grown = `The region ${region} sends more bytes than it said that the image has.`;
    return retold(error, region, { reason: 'REASON_SOURCE_CHANGED', message: grown, retryable: true });
  }
  if (reason === 'REASON_FORMAT_MISMATCH') {
    const other = `The region ${region} describes the image as what it is not. ${message}`;
    return retold(error, region, { reason: 'REASON_SOURCE_ERROR', message: other });
  }
  // Of what is no answer that may pass is a server that stops, or a proxy with none behind it.
  const isDown = reason === 'REASON_SOURCE_UNREACHABLE' || (reason === 'REASON_SOURCE_ERROR' && retryable);
  if (isDown) return retold(error, region, { reason: 'REASON_REGION_UNREACHABLE' });
  return reason.startsWith('REASON_SOURCE_') ? retold(error, region, {}) : error;
}

function retold(error: FailureError, region: string, changed: Partial<Failure>): FailureError {
  const { failure: found } = error;
  return new FailureError({ ...found, ...changed, metadata: { ...found.metadata, region } }, { cause: error });
}
