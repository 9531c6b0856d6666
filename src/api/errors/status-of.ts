import { Status } from '../../gen/google/rpc/status.ts';
import type { ApiError } from '../api-error.ts';
import { errorDetails } from './error-details.ts';
import { messageLimit, shorten } from './shorten.ts';
import { statusCodes } from './status-codes.ts';

/** The refusal as google.rpc.Status: code, message, exactly one ErrorInfo and, where fields are to blame, one BadRequest. */
export function statusOf(refusal: ApiError): Status {
  return Status.create({
    code: statusCodes[refusal.code].grpc,
    message: shorten(refusal.message, messageLimit),
    details: errorDetails(refusal).map(({ type, value }) => ({ typeUrl: `type.googleapis.com/${type}`, value: Buffer.from(value) })),
  });
}

/** The refusal as the bytes that `grpc-status-details-bin` carries. */
export function statusBytes(refusal: ApiError): Buffer {
  return Buffer.from(Status.encode(statusOf(refusal)).finish());
}
