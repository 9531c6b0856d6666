import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FailureError } from '../../domain/failures.ts';
import type { ByteReader } from '../../formats/reading/byte-reader.ts';
import { storeFailure } from '../../stores/store-failure.ts';
import { fillFrom } from './fill-from.ts';

/** A stored file that is open for reading. Whoever opened it closes it. */
export interface StoredFile extends ByteReader {
  /** Fills `bytes` from `offset` on, off this thread. Behind the end of the file they are zero. */
  fill(bytes: Uint8Array, offset: number): Promise<void>;
  close(): void;
}

/** Opens a stored file; `name` stands for it in failures. Opening and reading throw FailureError where the store cannot give the bytes. */
export function openStoredFile(path: string, name: string): StoredFile {
  // A FIFO that somebody put in place of a file must not hold the thread.
  const fd = fromStore(name, () => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  let beginning: Uint8Array = new Uint8Array(0);
  try {
    const sizeBytes = fromStore(name, () => fstatSync(fd).size);
    return {
      sizeBytes,
      read(offset, length, into) {
        const wanted = Math.min(length, Math.max(0, sizeBytes - offset));
        // Inspectors ask for the beginning more than once.
        if (offset + wanted <= beginning.length) return beginning.subarray(offset, offset + wanted);
        const target = into !== undefined && into.length >= wanted ? into : Buffer.allocUnsafe(wanted);
        const bytes = fromStore(name, () => readAt(fd, target, offset, wanted));
        if (offset === 0 && target !== into) beginning = bytes;
        return bytes;
      },
      async fill(bytes, offset) {
        try {
          bytes.fill(0, await fillFrom(fd, bytes, offset));
        } catch (error) {
          throw new FailureError(storeFailure(error, name, 0), { cause: error });
        }
      },
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readAt(fd: number, target: Uint8Array, offset: number, length: number): Uint8Array {
  let done = 0;
  while (done < length) {
    const count = readSync(fd, target, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return target.subarray(0, done);
}

function fromStore<T>(name: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw new FailureError(storeFailure(error, name, 0), { cause: error });
  }
}
