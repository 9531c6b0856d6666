import { failure, FailureError } from '../domain/failures.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { checkTable } from './check-table.ts';
import type { CheckName } from './check-table.ts';

/**
 * The failure of a check. `seen` is a sentence that says what was found, made safe with `printable` where it quotes the
 * image; the remedy of the table follows it. `details` go to the metadata beside `check`.
 */
function refusal(check: CheckName, seen: string, details: Readonly<Record<string, string>> = {}): Failure {
  const { reason, remedy } = checkTable[check];
  return failure(reason, `${seen} ${remedy}`, { check, ...details });
}

/** A check that failed, on its way to `inspect` or `inspectHead`; distinct from failures that a reader may throw. */
export class ImageRefusedError extends FailureError {}

/** Throws the failure of a check; caught by `inspect` and `inspectHead`, never beyond. */
export function refuse(check: CheckName, seen: string, details: Readonly<Record<string, string>> = {}): never {
  throw new ImageRefusedError(refusal(check, seen, details));
}
