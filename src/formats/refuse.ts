import { failure, FailureError } from '../domain/failures.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { checkTable } from './check-table.ts';
import type { CheckName } from './check-table.ts';

/**
 * What the metadata of each failure say beside `check`. `offset`: where in the file the offending field or structure is, in
 * bytes; `value`: what stands there, or was found. Numbers are written in decimal; texts are made safe with `printable`
 * where they come from the image.
 */
export type RefusalDetails = Readonly<Record<string, Detail>> & { readonly offset: number | bigint; readonly value: Detail };

type Detail = string | number | bigint;

/** The failure of a check. `seen` is a sentence that says what was found; the remedy of the table follows it. */
function refusal(check: CheckName, seen: string, details: RefusalDetails): Failure {
  const { reason, remedy } = checkTable[check];
  const metadata = Object.fromEntries(Object.entries(details).map(([name, value]) => [name, String(value)]));
  return failure(reason, `${seen} ${remedy}`, { check, ...metadata });
}

/** A check that failed, on its way to `inspect` or `inspectHead`; distinct from failures that a reader may throw. */
export class ImageRefusedError extends FailureError {}

/** Throws the failure of a check; caught by `inspect` and `inspectHead`, never beyond. */
export function refuse(check: CheckName, seen: string, details: RefusalDetails): never {
  throw new ImageRefusedError(refusal(check, seen, details));
}
