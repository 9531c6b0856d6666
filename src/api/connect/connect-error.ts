import { ConnectError } from '@connectrpc/connect';

import type { ApiError } from '../api-error.ts';
import { errorDetails } from '../errors/error-details.ts';
import { messageLimit, shorten } from '../errors/shorten.ts';
import { statusCodes } from '../errors/status-codes.ts';

/** The refusal as the error that Connect's handlers write, for each of their protocols. */
export function connectError(refusal: ApiError): ConnectError {
  const error = new ConnectError(shorten(refusal.message, messageLimit), statusCodes[refusal.code].grpc, undefined, undefined, refusal);
  error.details = errorDetails(refusal).map(({ type, value, debug }) => ({ type, value, debug }));
  return error;
}
