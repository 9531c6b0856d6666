import { failure, FailureError, type ReasonName } from '../domain/failures.ts';

/** Reasons of sources, and what each is where the same befalls a destination. */
const reasons: Readonly<Record<string, ReasonName>> = {
  REASON_SOURCE_NOT_ALLOWED: 'DESTINATION_NOT_ALLOWED',
  REASON_SOURCE_FORBIDDEN: 'DESTINATION_FORBIDDEN',
};

/** What code for sources says, said of a destination. `source-allow` stays what it is. */
export function asDestinationText(message: string): string {
  return message.replace(/\bsource(s?)\b(?!-)/g, 'destination$1');
}

/** What code for sources threw, as a failure of the destination; anything but a FailureError as it is. */
export function asDestinationError(error: unknown): unknown {
  if (!(error instanceof FailureError) || !error.failure.reason.startsWith('REASON_SOURCE_')) return error;
  const { reason, message, metadata, retryable } = error.failure;
  const named = reasons[reason];
  const text = asDestinationText(message);
  return new FailureError(named === undefined ? failure('DESTINATION_UNREACHABLE', text, metadata, retryable) : failure(named, text, metadata), { cause: error });
}
