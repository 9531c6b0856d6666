import type { Server, ServerInterceptingCallInterface, ServerInterceptor } from '@grpc/grpc-js';
import { Metadata, status as codes } from '@grpc/grpc-js';

import type { ApiCode } from '../api-error.ts';
import { ApiError } from '../api-error.ts';
import type { Incidents } from '../errors/incidents.ts';
import { serviceError, statusDetailsKey } from './service-error.ts';

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** What grpc-js finds wrong with a request by itself and calls INTERNAL, although the caller is to blame. */
const callersFault = /^(Failed to decompress message|Invalid grpc-timeout)/;

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
    const refusal = new ApiError('UNIMPLEMENTED', 'METHOD_UNKNOWN', `${status.details ?? ''}; reflection lists those that there are.`);
    respond.call(server, { ...serviceError(refusal), details: encodeURI(refusal.message) }, ...rest);
  };
}

const isExplained = ({ code, metadata }: Status): boolean =>
  code === codes.OK || (metadata instanceof Metadata && metadata.get(statusDetailsKey).length > 0);

function explanation({ code, details }: Status, incidents: Incidents): ApiError {
  const message = details ?? 'The call failed.';
  const [apiCode, reason] = known(code, message);
  if (apiCode !== 'INTERNAL') return new ApiError(apiCode, reason, message);
  const incidentId = incidents.report(new Error(message));
  return new ApiError(apiCode, reason, `This server failed; its log tells why under incident ${incidentId}.`, {
    metadata: { incident_id: incidentId },
  });
}

function known(code: number | undefined, message: string): readonly [ApiCode, string] {
  switch (code) {
    case codes.CANCELLED: return ['CANCELLED', 'CANCELLED'];
    case codes.DEADLINE_EXCEEDED: return ['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'];
    case codes.NOT_FOUND: return ['NOT_FOUND', 'SERVICE_UNKNOWN'];
    case codes.RESOURCE_EXHAUSTED: return ['RESOURCE_EXHAUSTED', 'REQUEST_TOO_LARGE'];
    case codes.UNIMPLEMENTED: return ['UNIMPLEMENTED', 'MALFORMED_REQUEST'];
    case codes.UNAVAILABLE: return ['UNAVAILABLE', 'SERVER_STOPPING'];
    default: return callersFault.test(message) ? ['INVALID_ARGUMENT', 'MALFORMED_REQUEST'] : ['INTERNAL', 'INTERNAL'];
  }
}
