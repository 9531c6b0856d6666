import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';

import { BadRequest, ErrorInfo } from '../gen/google/rpc/error_details.ts';
import { Status } from '../gen/google/rpc/status.ts';
import { CommandError } from './command-error.ts';
import type { Violation } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/**
 * Turns a gRPC error into one that ends a command. Reason, metadata and violations come from `grpc-status-details-bin`
 * (google.rpc.Status); without it the reason is the code's name. An UNAVAILABLE without details comes from the
 * connection and not from a server, and says so. The caller has made sure that it did not cancel the call itself.
 */
export function fromServiceError(error: ServiceError, address: string): CommandError {
  const code = status[error.code];
  const { info, violations } = readDetails(error);
  if (error.code === status.UNAVAILABLE && info === undefined) return unreachable(error, address);
  if (info === undefined && isBrokenOff(error)) return brokenOff(error, address);
  if (error.code === status.DEADLINE_EXCEEDED) return noAnswer(error, address);
  return new CommandError(exitCodeOf(error.code), code, info?.reason ?? code, error.details === '' ? code : error.details, {
    violations,
    metadata: info?.metadata ?? {},
    hints: hintsFor(error.code, info?.reason),
    cause: error,
  });
}

function readDetails(error: ServiceError): { readonly info: ErrorInfo | undefined; readonly violations: readonly Violation[] } {
  let info: ErrorInfo | undefined;
  const violations: Violation[] = [];
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return { info, violations };
  try {
    for (const detail of Status.decode(bytes).details) {
      if (detail.typeUrl === ERROR_INFO) info = ErrorInfo.decode(detail.value);
      if (detail.typeUrl === BAD_REQUEST) {
        violations.push(...BadRequest.decode(detail.value).fieldViolations.map(({ field, description }) => ({ field, description })));
      }
    }
  } catch {
    // Details that cannot be read only add to the message, which is there without them.
  }
  return { info, violations };
}

function exitCodeOf(code: status): ExitCode {
  switch (code) {
    case status.INVALID_ARGUMENT:
    case status.OUT_OF_RANGE:
      return exitCodes.usage;
    case status.NOT_FOUND:
      return exitCodes.notFound;
    case status.ALREADY_EXISTS:
    case status.FAILED_PRECONDITION:
    case status.RESOURCE_EXHAUSTED:
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
    case status.UNIMPLEMENTED:
    case status.ABORTED:
      return exitCodes.refused;
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
      return exitCodes.unavailable;
    case status.OK:
    case status.CANCELLED:
    case status.UNKNOWN:
    case status.INTERNAL:
    case status.DATA_LOSS:
      return exitCodes.internal;
    default:
      return code satisfies never;
  }
}

function hintsFor(code: status, reason: string | undefined): readonly string[] {
  if (reason === 'TASK_EXPIRED') return ['its events are still there: lehr tasks history ID'];
  if (code === status.UNAVAILABLE) return ['try again in a moment'];
  if (code === status.UNIMPLEMENTED) return ['the server may be older than this command line, or something else may listen there'];
  return [];
}

/** The connection failed: no server, another one, or one that went away. */
function unreachable(error: ServiceError, address: string): CommandError {
  const cause = /\b(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b/.exec(error.details)?.[1];
  const words = cause === undefined ? '' : ` (${connectionWords[cause] ?? cause})`;
  return new CommandError(exitCodes.unavailable, 'UNAVAILABLE', 'SERVER_UNREACHABLE', `cannot reach the server at ${address}${words}`, {
    hints: ['is the server running? start it with `lehr serve`, or name another one with --server HOST:PORT'],
    cause: error,
  });
}

/** A stream that is reset looks as if somebody here had canceled the call, or as an internal error of the client library. */
function isBrokenOff({ code, details }: ServiceError): boolean {
  return code === status.CANCELLED || (code === status.INTERNAL && details.startsWith('Received RST_STREAM'));
}

function brokenOff(error: ServiceError, address: string): CommandError {
  return new CommandError(exitCodes.unavailable, 'UNAVAILABLE', 'CALL_BROKEN_OFF', `the server at ${address} broke off the call`, {
    hints: ['try again in a moment'],
    cause: error,
  });
}

const connectionWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
};

function noAnswer(error: ServiceError, address: string): CommandError {
  return new CommandError(exitCodes.unavailable, 'DEADLINE_EXCEEDED', 'NO_ANSWER', `the server at ${address} did not answer in time`, {
    hints: ['give it longer with --timeout, such as --timeout 2m'],
    cause: error,
  });
}
