import { ApiError } from '../api-error.ts';
import type { Incidents } from './incidents.ts';

/** How many causes deep a hang-up is looked for; a chain may be a circle. */
const causeDepth = 8;

/**
 * Turns anything that was thrown while a call was served into the refusal that its caller gets.
 *
 * An `ApiError` is that refusal. What the call's own `signal` caused is `CANCELLED`, or the `ApiError` that the signal
 * was aborted with. Everything else is a fault of this server: it is reported to `incidents` with its cause, and the
 * caller learns nothing of it but the incident's id, since a message of unknown origin may hold paths or secrets.
 */
export function refusalOf(thrown: unknown, signal: AbortSignal | undefined, incidents: Incidents): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (signal?.aborted === true && wasCausedBy(thrown, signal)) {
    const reason: unknown = signal.reason;
    return reason instanceof ApiError ? reason : callerLeft(thrown);
  }
  return serverFault(thrown, incidents);
}

/** Reports `cause` and makes the refusal that names the incident. */
export function serverFault(cause: unknown, incidents: Incidents): ApiError {
  const incidentId = incidents.report(cause);
  return new ApiError('INTERNAL', 'INTERNAL', `This server failed; its log tells why under incident ${incidentId}.`, {
    metadata: { incident_id: incidentId },
    cause,
  });
}

/** The refusal for a caller that hung up before its answer was ready. Mostly nobody is left to read it. */
export function callerLeft(cause?: unknown): ApiError {
  return new ApiError('CANCELLED', 'CANCELLED', 'The caller ended the call before it was answered.', { cause });
}

function wasCausedBy(thrown: unknown, signal: AbortSignal): boolean {
  let link: unknown = thrown;
  for (let depth = 0; depth < causeDepth; depth += 1) {
    if (link === signal.reason) return true;
    if (!(link instanceof Error)) return false;
    if (link.name === 'AbortError') return true;
    link = link.cause;
  }
  return false;
}
