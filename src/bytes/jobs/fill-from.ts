import { read } from 'node:fs';
import { promisify } from 'node:util';

const readAt = promisify(read);

/** Fills `bytes` with what a file has from `offset` on, off this thread; how many there were is less only where the file ends. */
export async function fillFrom(fd: number, bytes: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await readAt(fd, bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}
