import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { lstat, open, readlink, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { FailureError, failure } from '../domain/failures.ts';
import type { ReasonName } from '../domain/failures.ts';
import { isBelowRoots } from './check-source-uri.ts';
import { tooLargeFailure } from './http-failures.ts';

/** What bounds the reading of a file. */
export interface FileSourceLimits {
  readonly fileRoots: readonly string[];
  readonly maxImageBytes: number;
}

/** A file that is open, and what it was when it was opened. */
export interface OpenedFile {
  readonly file: FileHandle;
  readonly stats: BigIntStats;
  readonly sizeBytes: number;
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * Opens a local file. `path` is absolute and lies below a file root by name; here links are followed, and what was opened
 * must lie below a root in truth. Only regular files are opened: a FIFO would hold the reader, a device could do anything.
 * Throws FailureError.
 */
export async function openBelowRoots(path: string, { fileRoots, maxImageBytes }: FileSourceLimits): Promise<OpenedFile> {
  const file = await openReal(path, fileRoots).catch((error: unknown) => {
    throw error instanceof FailureError ? error : fileFailure(error);
  });
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) throw notAllowed('it is no regular file');
    if (stats.size > BigInt(maxImageBytes)) throw new FailureError(tooLargeFailure('The file', Number(stats.size), maxImageBytes));
    return { file, stats, sizeBytes: Number(stats.size), facts: { last_modified: stats.mtime.toUTCString() } };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Throws where a file has changed since it was opened. */
export async function checkUnchanged({ file, stats }: OpenedFile, readBytes: number): Promise<void> {
  const after = await file.stat({ bigint: true });
  if (after.size !== stats.size || after.mtimeNs !== stats.mtimeNs) throw changedFailure(readBytes);
}

/** A file has become another while it was read. */
export function changedFailure(readBytes: number): FailureError {
  return refused('SOURCE_CHANGED', 'The file changed while it was read. Import it again once it rests.', { bytes_received: String(readBytes) });
}

async function openReal(path: string, fileRoots: readonly string[]): Promise<FileHandle> {
  const [real, ...roots] = await Promise.all([realpath(path), ...fileRoots.map((root) => realpath(root).catch(() => undefined))]);
  const realRoots = roots.filter((root) => root !== undefined);
  if (!isBelowRoots(real, realRoots)) throw notAllowed('a link on its path leads out of the folders of file-roots');
  if (!(await lstat(real)).isFile()) throw notAllowed('it is no regular file');
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    // A folder on the path may have been replaced by a link since; the kernel knows what was opened.
    const opened = process.platform === 'linux' ? await readlink(`/proc/self/fd/${file.fd}`) : real;
    if (!isBelowRoots(opened, realRoots)) throw notAllowed('a link on its path leads out of the folders of file-roots');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What an error of the system says of a file. */
export function fileFailure(error: unknown): FailureError {
  return new FailureError(failureOf(error), { cause: error });
}

function failureOf(error: unknown): ReturnType<typeof failure> {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
  const metadata = { system_error: code };
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return failure('SOURCE_NOT_FOUND', 'The file does not exist. Check the path.', metadata);
    case 'EACCES':
    case 'EPERM':
      return failure('SOURCE_FORBIDDEN', 'The file may not be read by this server. Make it readable.', metadata);
    case 'ELOOP':
      return failure('SOURCE_NOT_ALLOWED', 'The file is refused: its path has too many links, or became one.', metadata);
    default:
      return failure('SOURCE_ERROR', `The file cannot be read: ${code}.`, metadata);
  }
}

function notAllowed(why: string): FailureError {
  return refused('SOURCE_NOT_ALLOWED', `The file is refused: ${why}.`);
}

function refused(reason: ReasonName, message: string, metadata: Record<string, string> = {}): FailureError {
  return new FailureError(failure(reason, message, metadata));
}
