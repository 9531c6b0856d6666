import { closeSync, constants, fdatasync, ftruncateSync, openSync, rmSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { fileDestinationFailure } from '../../destinations/file/file-destination-failure.ts';
import { FailureError } from '../../domain/failures.ts';
import { flushEveryBytes } from '../bounds.ts';
import { DataExtents } from '../data-extents.ts';
import type { FlushGate } from '../flush-gate.ts';
import { fillFrom } from './fill-from.ts';

const flush = promisify(fdatasync);
const writeAt = promisify(write);

/**
 * A new file that a copy fills, sparse where zeros are. It is flushed early, so that the flush at the end is short. Everything throws, or
 * rejects with, a FailureError of a file destination. Whoever made it calls `close`, or `discard`, when nothing of it is under way.
 */
export class CopyTarget {
  readonly #path: string;
  readonly #fd: number;
  readonly #gate: FlushGate;
  readonly #extents = new DataExtents();
  #writtenBytes = 0;
  #unflushedBytes = 0;
  #flushing: Promise<void> | undefined;

  /** Creates the file with its size, which is a hole until something is written. */
  constructor(path: string, sizeBytes: number, gate: FlushGate) {
    this.#path = path;
    this.#gate = gate;
    try {
      this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o666);
    } catch (error) {
      throw this.#failureOf(error);
    }
    try {
      ftruncateSync(this.#fd, sizeBytes);
    } catch (error) {
      closeSync(this.#fd);
      this.discard();
      throw this.#failureOf(error);
    }
  }

  /** Writes the next piece, which must stay as it is meanwhile. Pieces are written one after the other. */
  async write(piece: Uint8Array): Promise<void> {
    const base = this.#writtenBytes;
    try {
      for (const { start, end } of this.#extents.next(piece)) {
        for (let at = start; at < end; ) at += (await writeAt(this.#fd, piece, at, end - at, base + at)).bytesWritten;
      }
    } catch (error) {
      throw this.#failureOf(error);
    }
    this.#writtenBytes = base + piece.length;
    this.#unflushedBytes += piece.length;
    if (this.#unflushedBytes >= flushEveryBytes && this.#flushing === undefined && this.#gate.tryEnter()) this.#flushEarly();
  }

  /** Fills `piece` with what the file has at `offset`. */
  async readBack(piece: Uint8Array, offset: number): Promise<void> {
    try {
      if (await fillFrom(this.#fd, piece, offset) < piece.length) throw new Error('The copy became shorter while it was read.');
    } catch (error) {
      throw this.#failureOf(error);
    }
  }

  /** Makes durable what was written. */
  async flush(): Promise<void> {
    this.#flushing = (this.#flushing ?? Promise.resolve()).then(() => flush(this.#fd)).catch((error: unknown) => {
      throw this.#failureOf(error);
    });
    return this.#flushing;
  }

  /** Closes the file once no flush of it is under way. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#flushing]);
    closeSync(this.#fd);
  }

  /** Removes the file. Where that fails, whoever asked for the copy tries again and says so. */
  discard(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch {
      return;
    }
  }

  #flushEarly(): void {
    this.#unflushedBytes = 0;
    // What an early flush met, the last one meets again: the kernel tells each descriptor of an error once, so it is kept.
    this.#flushing = flush(this.#fd).then(() => { this.#flushing = undefined; }).finally(() => { this.#gate.leave(); });
    this.#flushing.catch(() => undefined);
  }

  #failureOf(error: unknown): FailureError {
    return new FailureError(fileDestinationFailure(error, this.#writtenBytes), { cause: error });
  }
}
