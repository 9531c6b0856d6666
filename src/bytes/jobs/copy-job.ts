import { createHash } from 'node:crypto';
import type { FlushGate } from '../flush-gate.ts';
import type { CopyJob } from '../messages.ts';
import type { StagedResult } from '../staged-file.ts';
import { CopyTarget } from './copy-target.ts';
import type { JobContext } from './job-context.ts';
import { openStoredFile, type StoredFile } from './stored-file.ts';

const pieceBytes = 1024 * 1024;

/** A piece is read, written, read back and hashed; so four of them are under way at once, each in a buffer of its own. */
const steps = 4;

/**
 * Copies a stored file into a new one, durably, and answers with the size and digest of what is then read from there: so one hash
 * proves both what was read and what was written. libuv's threads read and write while this one hashes. Rejects with FailureError where
 * the store cannot give the bytes or the target not take them, and with `JobAbortedError`; the target is closed and removed then.
 */
export async function copyJob({ path, name, target }: CopyJob, context: JobContext, gate: FlushGate): Promise<StagedResult> {
  const source = openStoredFile(path, name);
  try {
    const copy = new CopyTarget(target, source.sizeBytes, gate);
    try {
      const digest = await copyPieces(source, copy, context);
      await copy.flush();
      return { sizeBytes: source.sizeBytes, digest };
    } catch (error) {
      copy.discard();
      throw error;
    } finally {
      await copy.close();
    }
  } finally {
    source.close();
  }
}

async function copyPieces(source: StoredFile, copy: CopyTarget, context: JobContext): Promise<string> {
  const { sizeBytes } = source;
  const hash = createHash('sha256');
  const pieces = Math.ceil(sizeBytes / pieceBytes);
  const buffers = Array.from({ length: steps }, () => Buffer.allocUnsafeSlow(Math.min(pieceBytes, sizeBytes)));
  const bytesOf = (piece: number): Uint8Array | undefined =>
    piece < 0 || piece >= pieces ? undefined : buffers[piece % steps]?.subarray(0, sizeBytes - piece * pieceBytes);
  for (let piece = 0; piece < pieces + steps - 1; piece += 1) {
    const [reading, writing, readingBack, hashing] = [bytesOf(piece), bytesOf(piece - 1), bytesOf(piece - 2), bytesOf(piece - 3)];
    const underWay = [
      reading && source.fill(reading, piece * pieceBytes),
      writing && copy.write(writing),
      readingBack && copy.readBack(readingBack, (piece - 2) * pieceBytes),
    ].filter((step) => step !== undefined);
    if (hashing !== undefined) hash.update(hashing);
    await all(underWay);
    const pause = context.pause(Math.min(piece * pieceBytes, sizeBytes), sizeBytes);
    if (pause !== undefined) await pause;
  }
  return `sha256:${hash.digest('hex')}`;
}

/** Unlike `Promise.all` it waits for the others where one has failed: they use the same descriptors. */
async function all(promises: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}
