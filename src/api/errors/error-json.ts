import type { ApiError } from '../api-error.ts';
import type { ErrorDetail } from './error-details.ts';
import { errorDetails } from './error-details.ts';
import { messageLimit, shorten } from './shorten.ts';
import { statusCodes } from './status-codes.ts';

/** An error as the Connect protocol writes it; the plain HTTP routes answer with the same shape. */
export type ErrorJson = {
  readonly code: string;
  readonly message: string;
  readonly details: { readonly type: string; readonly value: string; readonly debug: ErrorDetail['debug'] }[];
};

/** The refusal as Connect's error JSON: `value` is base64 without padding, `debug` is the same for people. */
export function errorJson(refusal: ApiError): ErrorJson {
  return {
    code: statusCodes[refusal.code].connect,
    message: shorten(refusal.message, messageLimit),
    details: errorDetails(refusal).map(({ type, value, debug }) => ({ type, value: unpadded(value), debug })),
  };
}

/** Base64 without padding, as Connect writes details and gRPC writes binary headers. */
export const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
