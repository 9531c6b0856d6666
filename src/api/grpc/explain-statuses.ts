import type { Server, ServerInterceptingCallInterface, ServerInterceptor } from '@grpc/grpc-js';
import { Metadata, status as codes } from '@grpc/grpc-js';

import type { ApiCode } from '../api-error.ts';
import { ApiError } from '../api-error.ts';
import type { Incidents } from '../errors/incidents.ts';
import { callerLeft, serverFault } from '../errors/refusal-of.ts';
import { malformedRequest } from '../wire/decode-request.ts';
import { serviceError, statusDetailsKey } from './service-error.ts';

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** What grpc-js finds wrong with a request by itself and calls INTERNAL, although the caller is to blame. */
const callersFault = /^(Failed to decompress message|Invalid grpc-timeout)/;

/** What it calls INTERNAL although the connection has gone, and nobody will read the status. */
const writeFailed = /^(Internal server error|Error writing message)/;

/**
 * Gives the statuses that grpc-js makes by itself (a deadline, a request too large, bad compression) their ErrorInfo.
 * Replaces the one function of the call instead of wrapping the call, which every message would pay for.
 */
export function explainStatuses(incidents: Incidents): ServerInterceptor {
  return (_method, call) => {
    const send = call.sendStatus.bind(call);
    call.sendStatus = (status) => send(isExplained(status) ? status : serviceError(explanation(status, incidents)));
    return call as ReturnType<ServerInterceptor>;
  };
}

/** The same for a path that no service has, which grpc-js refuses before any interceptor. */
export function explainUnknownMethods(server: Server): void {
  const inner = server as unknown as { _respondWithError?: (this: Server, status: Status, ...rest: unknown[]) => void };
  const respond = inner._respondWithError;
  if (respond === undefined) return;
  inner._respondWithError = (status, ...rest) => {
    const refusal = new ApiError('UNIMPLEMENTED', 'METHOD_UNKNOWN', `${status.details}; reflection lists those that there are.`);
    respond.call(server, { ...serviceError(refusal), details: encodeURI(refusal.message) }, ...rest);
  };
}

const isExplained = ({ code, metadata }: Status): boolean =>
  code === codes.OK || (metadata instanceof Metadata && metadata.get(statusDetailsKey).length > 0);

function explanation({ code, details: message }: Status, incidents: Incidents): ApiError {
  const reason = known[code];
  if (reason !== undefined) return new ApiError(...reason, message);
  if (writeFailed.test(message)) return callerLeft();
  return callersFault.test(message) ? malformedRequest(message) : serverFault(new Error(message), incidents);
}

/** What grpc-js and the services of its packages answer by themselves. */
const known: Partial<Record<codes, readonly [ApiCode, string]>> = {
  [codes.CANCELLED]: ['CANCELLED', 'CANCELLED'],
  [codes.DEADLINE_EXCEEDED]: ['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'],
  [codes.NOT_FOUND]: ['NOT_FOUND', 'SERVICE_UNKNOWN'],
  [codes.RESOURCE_EXHAUSTED]: ['RESOURCE_EXHAUSTED', 'REQUEST_TOO_LARGE'],
  [codes.UNIMPLEMENTED]: ['UNIMPLEMENTED', 'MALFORMED_REQUEST'],
};
