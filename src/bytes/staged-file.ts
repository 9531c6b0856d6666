import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { closeSync, constants, fdatasync, openSync, readSync, unlinkSync } from 'node:fs';
import { headBytes, inspectUnwrappedHead, inspectWrappedHead } from '../formats/inspect-head.ts';
import type { Wrapper } from '../formats/wrapper.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { checkpointEveryBytes, flushEveryBytes } from './bounds.ts';
import type { FlushGate } from './flush-gate.ts';
import { SparseWriter } from './sparse-writer.ts';
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

/** The beginning of a file, which is durable though more may follow. */
export interface SyncedPrefix {
  readonly sizeBytes: number;
  /** "sha256:" and 64 lower-case hex digits. */
  readonly digest: string;
}

/** The same, and how often the file had been restarted when the last of these bytes came. */
export interface SyncedFile extends SyncedPrefix {
  readonly restarts: number;
}

/** What a staged file is made with. */
export interface StagedFileOptions {
  readonly path: string;
  /** Stands for the path in failures. */
  readonly name: string;
  /** What the bytes are said to be; unspecified: found out from the head. */
  readonly declared: DiskFormat;
  readonly wrapping: Wrapping;
  readonly gate: FlushGate;
  /** Told of what makes the file useless (a refused head, a full disk), once it is closed and removed. */
  onFailure(failure: Failure): void;
  /** Told of each beginning that became durable while more came, every `checkpointEveryBytes` at most. */
  onSynced?(synced: SyncedFile): void;
}

/**
 * One file that grows as bytes come: writes them, hashes them and shows the head to the inspector, in one pass. Writes are
 * synchronous, since the thread has nothing better to do; flushes are not. After a failure every call but `abort` does nothing.
 */
export class StagedFile {
  readonly #options: StagedFileOptions;
  readonly #fd: number;
  readonly #writer: SparseWriter;
  #hash: Hash = createHash('sha256');
  #headSeen = false;
  #wrapper: Wrapper | undefined;
  #unflushedBytes = 0;
  #unreportedBytes = 0;
  #flushing = false;
  #restarts = 0;
  #ended = false;
  #afterFlush: (() => void) | undefined;

  /** Creates the file, which must not exist. Throws what the system says. */
  constructor(options: StagedFileOptions) {
    this.#options = options;
    this.#fd = openSync(options.path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    this.#writer = new SparseWriter(this.#fd);
  }

  /** Takes the next bytes; they may be changed by their owner afterwards. */
  append(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#hash.update(bytes);
    if (!this.#fromStore(() => this.#writer.append(bytes))) return;
    if (this.#writer.sizeBytes >= headBytes && !this.#judgeHead()) return;
    this.#unflushedBytes += bytes.length;
    this.#unreportedBytes += bytes.length;
    this.#flushIfDue();
  }

  /** Drops what has come and begins anew. */
  restart(): void {
    if (this.#ended || !this.#fromStore(() => this.#writer.restart())) return;
    this.#restarts += 1;
    this.#hash = createHash('sha256');
    this.#headSeen = false;
    this.#wrapper = undefined;
    this.#unflushedBytes = 0;
    this.#unreportedBytes = 0;
  }

  /** Makes what has come durable. `done` is called after that, unless the file fails or is aborted before. */
  sync(done: (synced: SyncedFile) => void): void {
    if (this.#ended) return;
    const synced = { ...this.#prefix(), restarts: this.#restarts };
    this.#whenFlushed(() => {
      if (this.#ended || !this.#fromStore(() => this.#writer.extend())) return;
      this.#flush(() => done(synced));
    });
  }

  /** No more bytes come. `done` is called once the file is durable and closed, unless it fails or is aborted before. */
  finish(done: (result: StagedResult) => void): void {
    if (this.#ended || !this.#judgeHead()) return;
    const prefix = this.#prefix();
    this.#whenFlushed(() => {
      if (this.#ended || !this.#fromStore(() => this.#writer.extend())) return;
      this.#flush(() => {
        this.#ended = true;
        try {
          closeSync(this.#fd);
        } catch (error) {
          return this.#options.onFailure(this.#failureOf(error));
        }
        done({ ...prefix, ...(this.#wrapper === undefined ? {} : { wrapper: this.#wrapper }) });
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
      this.#writer.extend();
      refusal = this.#refusalOf(headBuffer.subarray(0, readSync(this.#fd, headBuffer, 0, headBytes, 0)));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      refusal = this.#failureOf(error);
    }
    if (refusal !== undefined) this.#fail(refusal);
    return refusal === undefined;
  }

  #refusalOf(head: Uint8Array): Failure | undefined {
    const { wrapping, declared } = this.#options;
    if (wrapping === 'unwrapped') return inspectUnwrappedHead(head, declared);
    const verdict = inspectWrappedHead(head, declared);
    if ('refusal' in verdict) return verdict.refusal;
    this.#wrapper = verdict.wrapper;
    return undefined;
  }

  #flushIfDue(): void {
    const { gate } = this.#options;
    if (this.#ended || this.#flushing || this.#unflushedBytes < flushEveryBytes || !gate.tryEnter()) return;
    this.#unflushedBytes = 0;
    const isReported = this.#unreportedBytes >= checkpointEveryBytes;
    const synced = isReported ? { ...this.#prefix(), restarts: this.#restarts } : undefined;
    if (isReported) this.#unreportedBytes = 0;
    if (!this.#fromStore(() => this.#writer.extend())) return gate.leave();
    this.#flush(() => {
      if (synced !== undefined) this.#options.onSynced?.(synced);
    }, () => gate.leave());
  }

  /** What has come so far, with its digest: the hash goes on. */
  #prefix(): SyncedPrefix {
    return { sizeBytes: this.#writer.sizeBytes, digest: `sha256:${this.#hash.copy().digest('hex')}` };
  }

  /** Begins a flush, while none is under way. `done` is called when it has succeeded and the file lives, `always` in any case. */
  #flush(done: () => void, always: () => void = () => undefined): void {
    this.#flushing = true;
    fdatasync(this.#fd, (error) => {
      always();
      this.#flushing = false;
      const next = this.#afterFlush;
      this.#afterFlush = undefined;
      if (error !== null && !this.#ended) this.#fail(this.#failureOf(error));
      else if (!this.#ended) done();
      if (next === undefined) this.#flushIfDue();
      else next();
    });
  }

  /** The descriptor must not be closed, nor flushed again, while a flush of it is under way. */
  #whenFlushed(next: () => void): void {
    if (this.#flushing) this.#afterFlush = next;
    else next();
  }

  /** Whether it succeeded; if not, the file has failed. */
  #fromStore(operation: () => void): boolean {
    try {
      operation();
      return true;
    } catch (error) {
      this.#fail(this.#failureOf(error));
      return false;
    }
  }

  #failureOf(error: unknown): Failure {
    return storeFailure(error, this.#options.name, this.#writer.sizeBytes);
  }

  #fail(failure: Failure): void {
    this.#ended = true;
    this.#whenFlushed(() => {
      this.#remove();
      this.#options.onFailure(failure);
    });
  }

  #remove(): void {
    try {
      unlinkSync(this.#options.path);
    } catch {
      // Whoever ends the attempt discards its whole folder.
    }
    closeSync(this.#fd);
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
