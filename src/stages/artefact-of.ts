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
}

/** The artefact in a file. Its bytes are hashed in a pool thread beside their way out; the last chunk waits for the digest. */
export function artefactOf(file: ArtefactFile, pool: BytesPool): Artefact {
  const { path, sizeBytes, digest } = file;
  return {
    path, sizeBytes, digest,
    async *chunks(offset, signal) {
      const stop = new AbortController();
      const verified = verify(file, pool, AbortSignal.any([signal, stop.signal]));
      const refused = new AbortController();
      verified.catch(() => { refused.abort(); });
      const handle = await fromStore(file, 0, () => open(path, 'r'));
      try {
        for (let at = offset; at < sizeBytes; ) {
          const chunk = await readChunk(handle, file, at);
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

async function verify(file: ArtefactFile, pool: BytesPool, signal: AbortSignal): Promise<void> {
  const found = await pool.digest(file, { signal, progress: () => undefined });
  if (!isAsRecorded(file, found)) throw damagedArtefact(file.digest, found);
}

/** Whether bytes have the size and digest that were recorded. */
export function isAsRecorded(recorded: StagedResult, found: StagedResult): boolean {
  return found.sizeBytes === recorded.sizeBytes && found.digest === recorded.digest;
}

async function readChunk(handle: FileHandle, file: ArtefactFile, at: number): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, file.sizeBytes - at));
  const { bytesRead } = await fromStore(file, at, () => handle.read(chunk, 0, chunk.length, at));
  if (bytesRead === 0) throw damagedArtefact(file.digest, { sizeBytes: at, digest: '' });
  return chunk.subarray(0, bytesRead);
}

async function fromStore<T>({ name }: StagedFileName, sizeBytes: number, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw new FailureError(storeFailure(error, name, sizeBytes), { cause: error });
  }
}
