import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { BytesPool } from '../bytes/bytes-pool.ts';
import type { StagedResult } from '../bytes/staged-file.ts';
import { damagedArtefact } from '../destinations/delivery-failures.ts';
import type { Artefact } from '../destinations/destination.ts';
import { FailureError } from '../domain/failures.ts';
import type { StagedFileName } from '../stores/image-store.ts';
import { storeFailure } from '../stores/store-failure.ts';

/** A chunk has so many bytes. Each has memory of its own, since nobody knows when its taker is done with it. */
const chunkBytes = 256 * 1024;

/** A file that an export delivers: where it lies, and the size and digest that were recorded. */
export interface ArtefactFile extends StagedFileName {
  readonly sizeBytes: number;
  readonly digest: string;
  /** See `Artefact.isConverted`. */
  readonly isConverted?: boolean;
}

/** Bytes go out at most so far ahead of those that are hashed: what is damaged is not sent for long in vain. */
const leadBytes = 256 * 2 ** 20;

/**
 * The artefact in a file. Its bytes are hashed in a pool thread beside their way out; the last chunk waits for the digest, and where only
 * an end of it is wanted, the first one does.
 */
export function artefactOf(file: ArtefactFile, pool: Pick<BytesPool, 'digest'>, lead = leadBytes): Artefact {
  const { path, sizeBytes, digest } = file;
  return {
    path, sizeBytes, digest, ...(file.isConverted === undefined ? {} : { isConverted: file.isConverted }),
    async *chunks(offset, signal) {
      const stop = new AbortController();
      const hashing = new Hashing();
      const verified = verify(file, pool, hashing, AbortSignal.any([signal, stop.signal]));
      const refused = new AbortController();
      void verified.catch(() => { refused.abort(); }).finally(() => { hashing.advance(Infinity); });
      const handle = await fromStore(file, 0, () => open(path, 'r'));
      try {
        if (offset > 0) await verified;
        for (let at = offset; at < sizeBytes; ) {
          const chunk = await readChunk(handle, file, at);
          if (offset === 0) await hashing.reached(at + chunk.length - lead);
          signal.throwIfAborted();
          if (refused.signal.aborted) await verified;
          at += chunk.length;
          if (at === sizeBytes) await verified;
          yield chunk;
        }
        if (offset >= sizeBytes) await verified;
      } finally {
        stop.abort(new Error('Nobody wants more of the artefact.'));
        await handle.close();
      }
    },
  };
}

/** How far the hashing of a file is. */
class Hashing {
  #doneBytes = 0;
  #advanced = Promise.withResolvers<void>();

  advance(doneBytes: number): void {
    this.#doneBytes = doneBytes;
    this.#advanced.resolve();
    this.#advanced = Promise.withResolvers();
  }

  /** Resolves once so many bytes are hashed, or no more will be. */
  async reached(bytes: number): Promise<void> {
    while (this.#doneBytes < bytes) await this.#advanced.promise;
  }
}

async function verify(file: ArtefactFile, pool: Pick<BytesPool, 'digest'>, hashing: Hashing, signal: AbortSignal): Promise<void> {
  const found = await pool.digest(file, { signal, progress: (doneBytes) => hashing.advance(doneBytes) });
  if (!isAsRecorded(file, found)) throw damagedArtefact(file, found);
}

/** Whether bytes have the size and digest that were recorded. */
export function isAsRecorded(recorded: StagedResult, found: StagedResult): boolean {
  return found.sizeBytes === recorded.sizeBytes && found.digest === recorded.digest;
}

async function readChunk(handle: FileHandle, file: ArtefactFile, at: number): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, file.sizeBytes - at));
  const { bytesRead } = await fromStore(file, at, () => handle.read(chunk, 0, chunk.length, at));
  if (bytesRead === 0) throw damagedArtefact(file, { sizeBytes: at, digest: '' });
  return chunk.subarray(0, bytesRead);
}

async function fromStore<T>({ name }: StagedFileName, sizeBytes: number, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw new FailureError(storeFailure(error, name, sizeBytes), { cause: error });
  }
}
