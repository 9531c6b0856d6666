import { failure, FailureError } from '../domain/failures.ts';
import type { Artefact } from './destination.ts';
import type { BytesFound } from './stored-bytes.ts';

/** The bytes are not what they were when they were stored: nothing of them may be delivered. What was converted is converted anew. */
export function damagedArtefact({ digest, isConverted }: Pick<Artefact, 'digest' | 'isConverted'>, actual: BytesFound): FailureError {
  const metadata = { check: 'stored_digest', expected: digest, actual: actual.digest, bytes: String(actual.sizeBytes) };
  if (isConverted === true) {
    const message = 'The converted file is damaged: it does not have the digest that was recorded. It is converted anew. Look after the disk of the store.';
    return new FailureError(failure('STORE_UNAVAILABLE', message, metadata));
  }
  const message = 'The stored bytes are damaged: they do not have the digest that was recorded. Nothing was delivered. Ask the operator to look after the disk of the store.';
  return new FailureError(failure('IMAGE_CORRUPT', message, metadata));
}

/** Something lies at the destination that this task has not made. */
export function destinationExists(location: string): FailureError {
  return new FailureError(failure('DESTINATION_EXISTS', `Something else exists at ${location}, and nothing is overwritten. Choose another name.`));
}

/** Something lies there, and nobody can tell whether an earlier attempt of this task has left it. */
export function destinationMayBeLeft(location: string): FailureError {
  const message = `Something else exists at ${location}, or what a broken attempt of this task has left there; nothing is overwritten. ` +
    'Look at it: remove it if it is that, or choose another name.';
  return new FailureError(failure('DESTINATION_EXISTS', message, { left_behind: location }));
}

/** The destination took the bytes and holds others. */
export function otherBytesStored(location: string, expected: BytesFound, actual: Partial<BytesFound>): FailureError {
  const message = `What ${location} gives back is not what was written there. Find out what alters it.`;
  return new FailureError(failure('DIGEST_MISMATCH', message, {
    expected: expected.digest, actual: actual.digest ?? '', bytes_expected: String(expected.sizeBytes),
    ...(actual.sizeBytes === undefined ? {} : { bytes: String(actual.sizeBytes) }),
  }));
}

/** Names what could not be removed, or may be there, in a failure; any other error stays as it is. */
export function leftBehind(error: unknown, location: string): unknown {
  if (!(error instanceof FailureError)) return error;
  const { failure: found } = error;
  return new FailureError({ ...found, metadata: { ...found.metadata, left_behind: location } }, { cause: error });
}
