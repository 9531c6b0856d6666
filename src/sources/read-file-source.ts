import { constants } from 'node:fs';
import { lstat, open, readlink, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { FailureError, failure } from '../domain/failures.ts';
import type { ReasonName } from '../domain/failures.ts';
import { isBelowRoots } from './check-source-uri.ts';
import type { Receiver } from './source.ts';

/** A file is read in pieces of so many bytes. */
const readBytes = 512 * 1024;

/** What bounds the reading of a file. */
export interface FileSourceLimits {
  readonly fileRoots: readonly string[];
  readonly maxImageBytes: number;
}

/**
 * Reads a local file into `receiver`; see `Sources.read`. `path` is absolute and lies below a file root by name; here links
 * are followed, and what was opened must lie below a root in truth. Only regular files are opened: a FIFO would hold the
 * reader, a device could do anything. A file that changes while it is read is refused.
 */
export async function readFileSource(path: string, limits: FileSourceLimits, receiver: Receiver, signal: AbortSignal): Promise<void> {
  const file = await openBelowRoots(path, limits.fileRoots).catch((error: unknown) => {
    throw error instanceof FailureError ? error : new FailureError(openFailure(error), { cause: error });
  });
  try {
    const before = await file.stat({ bigint: true });
    if (!before.isFile()) throw notAllowed('it is no regular file');
    if (before.size > BigInt(limits.maxImageBytes)) {
      throw refused('SOURCE_TOO_LARGE', `The file is larger than the limit of ${limits.maxImageBytes} bytes.`, {
        bytes: String(before.size),
        max_image_bytes: String(limits.maxImageBytes),
      });
    }
    const sizeBytes = Number(before.size);
    signal.throwIfAborted();
    receiver.begin({ sizeBytes, facts: { last_modified: before.mtime.toUTCString() } });
    await readAll(file, sizeBytes, receiver, signal);
    const after = await file.stat({ bigint: true });
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) throw changed(sizeBytes);
  } finally {
    await file.close();
  }
}

async function readAll(file: FileHandle, sizeBytes: number, receiver: Receiver, signal: AbortSignal): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, Math.max(sizeBytes, 1)));
  for (let position = 0; position < sizeBytes; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, sizeBytes - position), position).catch((error: unknown) => {
      throw new FailureError(openFailure(error), { cause: error });
    });
    signal.throwIfAborted();
    if (bytesRead === 0) throw changed(position);
    const taking = receiver.receive(buffer.subarray(0, bytesRead));
    if (taking !== undefined) await taking;
    position += bytesRead;
  }
}

async function openBelowRoots(path: string, fileRoots: readonly string[]): Promise<FileHandle> {
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

function openFailure(error: unknown): ReturnType<typeof failure> {
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

function changed(sizeBytes: number): FailureError {
  return refused('SOURCE_CHANGED', 'The file changed while it was read. Import it again once it rests.', { bytes_received: String(sizeBytes) });
}

function notAllowed(why: string): FailureError {
  return refused('SOURCE_NOT_ALLOWED', `The file is refused: ${why}.`);
}

function refused(reason: ReasonName, message: string, metadata: Record<string, string> = {}): FailureError {
  return new FailureError(failure(reason, message, metadata));
}
