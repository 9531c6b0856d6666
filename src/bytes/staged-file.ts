import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { closeSync, constants, fdatasync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { headBytes, inspectUnwrappedHead, inspectWrappedHead } from '../formats/inspect-head.ts';
import type { Wrapper } from '../formats/wrapper.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { flushEveryBytes } from './bounds.ts';
import type { FlushGate } from './flush-gate.ts';
import { storeFailure } from '../stores/store-failure.ts';

const headBuffer = Buffer.allocUnsafeSlow(headBytes);

/** What is known of a file that is durable. */
export interface StagedResult {
  readonly sizeBytes: number;
  /** "sha256:" and 64 lower-case hex digits. */
  readonly digest: string;
  /** What the image is in, where the content is to be unwrapped before it is judged. */
  readonly wrapper?: Wrapper;
}

/** Whether content may still be wrapped, or came out of a wrapper and may be in no other. */
export type Wrapping = 'wrapped' | 'unwrapped';

/**
 * One file that grows as bytes come: writes them, hashes them and shows the head to the inspector, in one pass. Writes are
 * synchronous, since the thread has nothing better to do; flushes are not. What makes the file useless (a refused head, a
 * full disk) is told to `onFailure` once it is closed and removed; from then on every call but `abort` does nothing.
 */
export class StagedFile {
  readonly #path: string;
  readonly #name: string;
  readonly #declared: DiskFormat;
  readonly #gate: FlushGate;
  readonly #onFailure: (failure: Failure) => void;
  readonly #wrapping: Wrapping;
  readonly #hash: Hash = createHash('sha256');
  readonly #fd: number;
  #headSeen = false;
  #wrapper: Wrapper | undefined;
  #sizeBytes = 0;
  #unflushedBytes = 0;
  #flushing = false;
  #ended = false;
  #afterFlush: (() => void) | undefined;

  /** Creates the file, which must not exist. Throws what the system says. */
  constructor(
    path: string, name: string, declared: DiskFormat, gate: FlushGate, onFailure: (failure: Failure) => void, wrapping: Wrapping = 'wrapped',
  ) {
    this.#path = path;
    this.#name = name;
    this.#declared = declared;
    this.#gate = gate;
    this.#onFailure = onFailure;
    this.#wrapping = wrapping;
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  }

  /** Takes the next bytes; they may be changed by their owner afterwards. */
  append(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#hash.update(bytes);
    try {
      for (let offset = 0; offset < bytes.length; ) {
        const written = writeSync(this.#fd, bytes, offset, bytes.length - offset);
        offset += written;
        this.#sizeBytes += written;
      }
    } catch (error) {
      return this.#fail(storeFailure(error, this.#name, this.#sizeBytes));
    }
    if (this.#sizeBytes >= headBytes && !this.#judgeHead()) return;
    this.#unflushedBytes += bytes.length;
    if (this.#unflushedBytes >= flushEveryBytes && !this.#flushing && this.#gate.tryEnter()) this.#flushEarly();
  }

  /** No more bytes come. `done` is called once the file is durable and closed, unless it fails or is aborted before. */
  finish(done: (result: StagedResult) => void): void {
    if (this.#ended) return;
    if (!this.#judgeHead()) return;
    const digest = `sha256:${this.#hash.digest('hex')}`;
    this.#whenFlushed(() => {
      if (this.#ended) return;
      this.#flushing = true;
      fdatasync(this.#fd, (error) => {
        this.#flushed(error);
        if (this.#ended) return;
        this.#ended = true;
        try {
          closeSync(this.#fd);
        } catch (closeError) {
          return this.#onFailure(storeFailure(closeError, this.#name, this.#sizeBytes));
        }
        done({ sizeBytes: this.#sizeBytes, digest, ...(this.#wrapper === undefined ? {} : { wrapper: this.#wrapper }) });
      });
    });
  }

  /** Closes and removes the file; `done` is called after that. */
  abort(done: () => void): void {
    this.#ended = true;
    this.#whenFlushed(() => {
      this.#remove();
      done();
    });
  }

  /**
   * Shows the head to the inspector, the first time; whether the file lives on. The head is read back from the file, whose
   * pages are in memory anyway: so it needs one buffer per thread and none per transfer.
   */
  #judgeHead(): boolean {
    if (this.#headSeen) return true;
    this.#headSeen = true;
    let refusal: Failure | undefined;
    try {
      refusal = this.#refusalOf(headBuffer.subarray(0, readSync(this.#fd, headBuffer, 0, headBytes, 0)));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      refusal = storeFailure(error, this.#name, this.#sizeBytes);
    }
    if (refusal !== undefined) this.#fail(refusal);
    return refusal === undefined;
  }

  #refusalOf(head: Uint8Array): Failure | undefined {
    if (this.#wrapping === 'unwrapped') return inspectUnwrappedHead(head, this.#declared);
    const verdict = inspectWrappedHead(head, this.#declared);
    if ('refusal' in verdict) return verdict.refusal;
    this.#wrapper = verdict.wrapper;
    return undefined;
  }

  #flushEarly(): void {
    this.#flushing = true;
    this.#unflushedBytes = 0;
    fdatasync(this.#fd, (error) => {
      this.#gate.leave();
      this.#flushed(error);
    });
  }

  #flushed(error: Error | null): void {
    this.#flushing = false;
    const next = this.#afterFlush;
    this.#afterFlush = undefined;
    if (error !== null && !this.#ended) this.#fail(storeFailure(error, this.#name, this.#sizeBytes));
    next?.();
  }

  /** The descriptor must not be closed, nor flushed again, while a flush of it is under way. */
  #whenFlushed(next: () => void): void {
    if (this.#flushing) this.#afterFlush = next;
    else next();
  }

  #fail(failure: Failure): void {
    this.#ended = true;
    this.#whenFlushed(() => {
      this.#remove();
      this.#onFailure(failure);
    });
  }

  #remove(): void {
    try {
      unlinkSync(this.#path);
    } catch {
      // Whoever ends the attempt discards its whole folder.
    }
    closeSync(this.#fd);
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
