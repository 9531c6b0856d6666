import { close, constants, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';
import type { OpenedImage } from '../image-store.ts';

const openFile = promisify(open);
const statFile = promisify(fstat);
const readFile = promisify(read);
const closeFile = promisify(close);

/** Opens a stored file; undefined where there is none. */
export async function openStoredFile(path: string): Promise<OpenedImage | undefined> {
  const fd = await openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (fd === undefined) return undefined;
  const { size } = await statFile(fd);
  return {
    sizeBytes: size,
    read: async (target, position) => (await readFile(fd, target, 0, target.length, position)).bytesRead,
    close: () => closeFile(fd),
  };
}
