import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FailureError } from '../domain/failures.ts';
import type { ByteReader } from '../formats/byte-reader.ts';
import { inspect } from '../formats/inspect.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import { storeFailure } from '../stores/store-failure.ts';

/**
 * Judges the bytes of a stored file, synchronously, in a pool thread. Throws FailureError where the store cannot give the
 * bytes; what is wrong with the bytes themselves is the verdict.
 */
export function inspectStored(path: string, name: string, declared: DiskFormat, limits: { readonly maxVirtualBytes: bigint }): Verdict {
  const fd = fromStore(name, () => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW));
  try {
    const sizeBytes = fromStore(name, () => fstatSync(fd).size);
    return inspect(storedReader(fd, sizeBytes, name), declared, limits);
  } finally {
    closeSync(fd);
  }
}

/** Remembers the beginning, which inspectors ask for more than once. */
function storedReader(fd: number, sizeBytes: number, name: string): ByteReader {
  let beginning: Uint8Array = new Uint8Array(0);
  return {
    sizeBytes,
    read(offset, length) {
      const wanted = Math.min(length, Math.max(0, sizeBytes - offset));
      if (offset + wanted <= beginning.length) return beginning.subarray(offset, offset + wanted);
      const bytes = fromStore(name, () => readAt(fd, offset, wanted));
      if (offset === 0) beginning = bytes;
      return bytes;
    },
  };
}

function readAt(fd: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function fromStore<T>(name: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw new FailureError(storeFailure(error, name, 0), { cause: error });
  }
}
