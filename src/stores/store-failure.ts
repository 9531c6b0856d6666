import { failure } from '../domain/failures.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Clones, and exports while they run, share the file of their image; ext4 has at most 65,000 names for a file. */
const tooManyLinks = 'The file system has no more names for the file of this image: it has too many clones. '
  + 'Delete clones that nobody needs, or import the image anew and go on from that one.';

/**
 * The failure that a file operation in the store ended with. `name` is the file's path relative to the store: absolute
 * paths are the operator's business. `sizeBytes` is how much of the file had been written.
 */
export function storeFailure(error: unknown, name: string, sizeBytes: number): Failure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
  const metadata = { path: name, bytes: String(sizeBytes), system_error: code };
  if (code === 'EMLINK') return failure('STORE_UNAVAILABLE', tooManyLinks, metadata, false);
  return fullCodes.has(code)
    ? failure('STORE_FULL', `The store has no room for ${name}: ${code} after ${sizeBytes} bytes. Make room there.`, metadata)
    : failure('STORE_UNAVAILABLE', `The store failed on ${name}: ${code} after ${sizeBytes} bytes. Look after the disk.`, metadata);
}
