import type { FieldViolation } from '../api-error.ts';
import { ApiError } from '../api-error.ts';
import type { Incidents } from '../errors/incidents.ts';
import type { AskedCall } from './asked-call.ts';

/** An error that Connect made by itself: the number of its code, and its words. */
export interface BareFailure {
  readonly code: number;
  readonly message: string;
}

/** `cannot decode field lehr.v1.ImportImage.source_uri from JSON: expected string, got 7` */
const wrongField = /^cannot decode field (?:[\w.]+)\.(\w+) from JSON: (.+)$/s;

/** `cannot decode message lehr.v1.ImportImage from JSON: key "colour" is unknown` */
const unknownField = /^cannot decode message ([\w.]+) from JSON: key "(.*)" is unknown$/s;

/**
 * The refusal behind an error that Connect raised without one. Before the implementation was reached the request is to
 * blame, also where Connect says "internal"; after that the answer could not be written, which is this server's fault.
 */
export function explainFailure({ code, message }: BareFailure, asked: AskedCall, incidents: Incidents): ApiError {
  switch (code) {
    case 1: case 10: return new ApiError('CANCELLED', 'CANCELLED', message);
    case 4: return new ApiError('DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', message);
    default: break;
  }
  if (asked.reached) {
    const incidentId = incidents.report(new Error(message));
    return new ApiError('INTERNAL', 'INTERNAL', `This server failed; its log tells why under incident ${incidentId}.`, {
      metadata: { incident_id: incidentId },
    });
  }
  switch (code) {
    case 8: return new ApiError('RESOURCE_EXHAUSTED', 'REQUEST_TOO_LARGE', message);
    case 12: return new ApiError('UNIMPLEMENTED', 'MALFORMED_REQUEST', message);
    default: return new ApiError('INVALID_ARGUMENT', 'MALFORMED_REQUEST', readable(message), { violations: violationsOf(message) });
  }
}

function readable(message: string): string {
  if (message.startsWith('parse binary')) return 'The bytes of the request are not the message that this method takes.';
  return message === 'internal error' ? 'The request could not be read.' : message;
}

function violationsOf(message: string): readonly FieldViolation[] {
  const [, field, description] = wrongField.exec(message) ?? [];
  if (field !== undefined && description !== undefined) return [{ field, description }];
  const [, type, key] = unknownField.exec(message) ?? [];
  return type === undefined || key === undefined ? [] : [{ field: key, description: `is no field of ${type}` }];
}
