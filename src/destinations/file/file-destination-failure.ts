import { failure } from '../../domain/failures.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';

/** The failure that an operation on a file destination ended with, after `sizeBytes` bytes were written there. */
export function fileDestinationFailure(error: unknown, sizeBytes: number): Failure {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
  const metadata = { system_error: code, bytes: String(sizeBytes) };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return failure('DESTINATION_FULL', `The destination has no room: ${code} after ${sizeBytes} bytes. Make room there.`, metadata);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return failure('DESTINATION_FORBIDDEN', `This server may not write there: ${code}. Make the folder writable, or choose another.`, metadata);
    case 'ENOENT':
    case 'ENOTDIR':
      return failure('DESTINATION_UNREACHABLE', 'The folder of the destination does not exist. Make it, or check the path.', metadata, false);
    case 'ELOOP':
      return failure('DESTINATION_NOT_ALLOWED', 'The destination is refused: its path has too many links, or became one.', metadata);
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
    case 'EMLINK':
      return failure('DESTINATION_UNREACHABLE', `The file system of the destination makes no hard links (${code}). Export to another one.`, metadata, false);
    default:
      return failure('DESTINATION_UNREACHABLE', `The destination failed: ${code} after ${sizeBytes} bytes. Look after the disk.`, metadata);
  }
}
