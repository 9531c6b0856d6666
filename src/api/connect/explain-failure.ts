import { Code } from '@connectrpc/connect';

import type { FieldViolation } from '../api-error.ts';
import { ApiError, invalidArgument } from '../api-error.ts';
import type { Incidents } from '../errors/incidents.ts';
import { serverFault } from '../errors/refusal-of.ts';
import { malformedRequest } from '../wire/decode-request.ts';
import type { AskedCall } from './asked-call.ts';
import { unknownEnumNames } from './unknown-enum-names.ts';

/** An error that Connect made by itself: its code and its words. */
export interface BareFailure {
  readonly code: Code;
  readonly message: string;
}

/** `cannot decode field lehr.v1.ImportImage.source_uri from JSON: expected string, got 7` */
const wrongField = /^cannot decode field (?:[\w.]+)\.(\w+) from JSON: (.+)$/s;

/** `cannot decode message lehr.v1.ImportImage from JSON: key "colour" is unknown` */
const unknownField = /^cannot decode message ([\w.]+) from JSON: key "(.*)" is unknown$/s;

/** `cannot decode enum lehr.v1.DiskFormat from JSON: "FLOPPY"` */
const wrongEnum = /^cannot decode enum /;

/**
 * The refusal behind an error that Connect raised without one. Before the implementation was reached the request is to
 * blame, also where Connect says "internal"; after that the answer could not be written, which is this server's fault.
 */
export function explainFailure({ code, message }: BareFailure, asked: AskedCall, incidents: Incidents): ApiError {
  if (code === Code.Canceled || code === Code.Aborted) return new ApiError('CANCELLED', 'CANCELLED', message);
  if (code === Code.DeadlineExceeded) return new ApiError('DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', message);
  if (asked.reached) return serverFault(new Error(message), incidents);
  if (code === Code.ResourceExhausted) return new ApiError('RESOURCE_EXHAUSTED', 'REQUEST_TOO_LARGE', message);
  if (code === Code.Unimplemented) return new ApiError('UNIMPLEMENTED', 'MALFORMED_REQUEST', message);
  const violations = violationsOf(message, asked);
  return violations.length > 0 ? invalidArgument(violations) : malformedRequest(readable(message));
}

function readable(message: string): string {
  if (message.startsWith('parse binary')) return 'The bytes of the request are not the message that this method takes.';
  return message === 'internal error' ? 'The request could not be read.' : message;
}

function violationsOf(message: string, asked: AskedCall): readonly FieldViolation[] {
  const [, field, description] = wrongField.exec(message) ?? [];
  if (field !== undefined && description !== undefined) return [{ field, description }];
  const [, type, key] = unknownField.exec(message) ?? [];
  if (type !== undefined && key !== undefined) return [{ field: key, description: `is no field of ${type}` }];
  return wrongEnum.test(message) && asked.input !== undefined ? unknownEnumNames(asked.input, jsonOf(asked.body)) : [];
}

/** The body as JSON, where it is; of a stream's envelope, or compressed, it is not. */
function jsonOf(body: readonly Uint8Array[]): unknown {
  try {
    return JSON.parse(Buffer.concat(body).toString());
  } catch {
    return undefined;
  }
}
