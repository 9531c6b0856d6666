import { createHash } from 'node:crypto';
import { closeSync, constants, fdatasync, openSync, readSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { FailureError } from '../../domain/failures.ts';
import { fileDestinationFailure } from '../../destinations/file/file-destination-failure.ts';
import { flushEveryBytes } from '../bounds.ts';
import type { FlushGate } from '../flush-gate.ts';
import type { CopyJob } from '../messages.ts';
import { SparseWriter } from '../sparse-writer.ts';
import type { StagedResult } from '../staged-file.ts';
import type { JobContext } from './job-context.ts';
import { openStoredFile } from './stored-file.ts';

const flush = promisify(fdatasync);
const pieceBytes = 1024 * 1024;

/**
 * Copies a stored file into a new one, durably, and answers with the size and digest of what is then read from there: so one hash
 * proves both what was read and what was written. The copy is hashed while it is flushed. Rejects with FailureError where the store
 * cannot give the bytes or the target not take them, and with `JobAbortedError`; the target is closed and removed then.
 */
export async function copyJob({ path, name, target }: CopyJob, context: JobContext, gate: FlushGate): Promise<StagedResult> {
  const source = openStoredFile(path, name);
  try {
    const fd = onTarget(() => openSync(target, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666), 0);
    const copy = new Copy(fd, source.sizeBytes, gate);
    try {
      const buffer = Buffer.allocUnsafeSlow(pieceBytes);
      for (let at = 0; at < source.sizeBytes; at += pieceBytes) {
        copy.append(source.read(at, pieceBytes, buffer));
        const pause = context.pause(at / 2, source.sizeBytes);
        if (pause !== undefined) await pause;
      }
      const flushed = copy.finish();
      const [digest] = await bothOf(copy.digest(buffer, context), flushed);
      return { sizeBytes: source.sizeBytes, digest };
    } catch (error) {
      discard(target);
      throw error;
    } finally {
      await copy.close();
    }
  } finally {
    source.close();
  }
}

/** The target while it is filled. Its descriptor is flushed early, so that the flush at the end is short. */
class Copy {
  readonly #fd: number;
  readonly #writer: SparseWriter;
  readonly #sizeBytes: number;
  readonly #gate: FlushGate;
  #unflushedBytes = 0;
  #early: Promise<void> | undefined;
  #final: Promise<void> | undefined;

  constructor(fd: number, sizeBytes: number, gate: FlushGate) {
    this.#fd = fd;
    this.#writer = new SparseWriter(fd);
    this.#sizeBytes = sizeBytes;
    this.#gate = gate;
  }

  /** Writes the next piece. */
  append(piece: Uint8Array): void {
    try {
      this.#writer.append(piece);
    } catch (error) {
      throw targetFailure(error, this.#writer.sizeBytes);
    }
    this.#unflushedBytes += piece.length;
    if (this.#unflushedBytes >= flushEveryBytes && this.#early === undefined && this.#gate.tryEnter()) this.#flushEarly();
  }

  /** Gives the file its size, which ends it where zeros do, and makes it durable. */
  async finish(): Promise<void> {
    onTarget(() => { this.#writer.extend(); }, this.#sizeBytes);
    this.#final = (this.#early ?? Promise.resolve()).then(() => flush(this.#fd)).catch((error: unknown) => {
      throw targetFailure(error, this.#sizeBytes);
    });
    return this.#final;
  }

  async digest(buffer: Uint8Array, context: JobContext): Promise<string> {
    const hash = createHash('sha256');
    for (let at = 0; at < this.#sizeBytes; ) {
      const count = onTarget(() => readSync(this.#fd, buffer, 0, buffer.length, at), at);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      at += count;
      const pause = context.pause((this.#sizeBytes + at) / 2, this.#sizeBytes);
      if (pause !== undefined) await pause;
    }
    return `sha256:${hash.digest('hex')}`;
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#early, this.#final]);
    closeSync(this.#fd);
  }

  #flushEarly(): void {
    this.#unflushedBytes = 0;
    // What an early flush met, the last one meets again: the kernel tells each descriptor of an error once, so it is kept.
    this.#early = flush(this.#fd).then(() => { this.#early = undefined; }).finally(() => { this.#gate.leave(); });
    this.#early.catch(() => undefined);
  }
}

/** Unlike `Promise.all` it waits for the other where one has failed: both use the descriptor. */
async function bothOf<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}

/** Where that fails too, whoever asked for the copy tries again and says so. */
function discard(target: string): void {
  try {
    rmSync(target, { force: true });
  } catch {
    return;
  }
}

function onTarget<T>(operation: () => T, sizeBytes: number): T {
  try {
    return operation();
  } catch (error) {
    throw targetFailure(error, sizeBytes);
  }
}

function targetFailure(error: unknown, sizeBytes: number): FailureError {
  return new FailureError(fileDestinationFailure(error, sizeBytes), { cause: error });
}
