import { constants } from 'node:fs';
import { open, readlink, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failure, FailureError } from '../../domain/failures.ts';
import { isBelowRoots } from '../../sources/check-source-uri.ts';
import { fileDestinationFailure } from './file-destination-failure.ts';

/** The folder that a file is to be made in, held open: whatever its path leads to later, this is the one that was judged. */
export interface OpenedFolder {
  /** The path of a file in it, for this process while the folder is open. */
  at(name: string): string;
  /** Makes changes of names in it durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the folder of a file destination. `path` is absolute and lies below a file root by name; here links are followed, and the
 * folder must lie below a root in truth, or be one. Throws FailureError.
 */
export async function openFolder(path: string, fileRoots: readonly string[]): Promise<OpenedFolder> {
  try {
    const roots = await Promise.all(fileRoots.map((root) => realpath(root).catch(() => undefined)));
    const real = await realpath(dirname(path));
    const realRoots = roots.filter((root) => root !== undefined);
    const judge = (folder: string): void => {
      if (isBelowRoots(join(folder, basename(path)), realRoots)) return;
      throw new FailureError(failure('DESTINATION_NOT_ALLOWED', 'The destination is refused: a link on its path leads out of the folders of file-roots.'));
    };
    judge(real);
    const handle = await open(real, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    return await heldOpen(handle, real, judge);
  } catch (error) {
    throw error instanceof FailureError ? error : new FailureError(fileDestinationFailure(error, 0), { cause: error });
  }
}

async function heldOpen(handle: FileHandle, real: string, judge: (folder: string) => void): Promise<OpenedFolder> {
  const isLinux = process.platform === 'linux';
  const held = `/proc/self/fd/${handle.fd}`;
  try {
    // A folder on the path may have been replaced by a link since; the kernel knows what was opened.
    if (isLinux) judge(await readlink(held));
    return {
      at: (name) => join(isLinux ? held : real, name),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
