import { Code, ConnectError } from '@connectrpc/connect';
import { codeFromString } from '@connectrpc/connect/protocol-connect';

import type { ApiError } from '../api-error.ts';
import { errorDetails } from '../errors/error-details.ts';
import { messageLimit, shorten } from '../errors/shorten.ts';
import { statusCodes } from '../errors/status-codes.ts';

/** The refusal as the error that Connect's handlers write, for each of their protocols. */
export function connectError(refusal: ApiError): ConnectError {
  const code = codeFromString(statusCodes[refusal.code].connect) ?? Code.Internal;
  const error = new ConnectError(shorten(refusal.message, messageLimit), code, undefined, undefined, refusal);
  error.details = errorDetails(refusal).map(({ type, value, debug }) => ({ type, value, debug }));
  return error;
}
