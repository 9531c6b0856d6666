import { FailureError, failure } from '../domain/failures.ts';
import type { Receiver, SourceRequest, SourceStart } from './source.ts';
import { areSame } from './validators.ts';

/** So many times in a row a reading is continued without progress worth the name before it fails. */
export const continuationLimit = 5;

/** A continuation that brought so many bytes was worth it: the count begins anew. */
export const progressBytes = 1024 * 1024;

/** The pause before a continuation; it doubles with each in a row that brought nothing, up to `longestPauseMs`. */
const shortestPauseMs = 250;
const longestPauseMs = 8_000;

/** A source that wants to be left alone for longer is left to the next attempt: what was read is kept, and the transfer's place is free. */
const longestHeededMs = 60_000;

/** Waits; rejects with the signal's reason. */
export type Pause = (delayMs: number, signal: AbortSignal) => Promise<void>;

/** Reads once; see `Sources.read`. */
export type ReadOnce = (request: SourceRequest, receiver: Receiver, signal: AbortSignal) => Promise<void>;

/** How a reading breaks off that may be continued, where the failure says of itself that it may pass. */
const breaks: ReadonlySet<string> = new Set([
  'REASON_SOURCE_TRUNCATED', 'REASON_SOURCE_TOO_SLOW', 'REASON_SOURCE_UNREACHABLE', 'REASON_SOURCE_ERROR',
]);

/**
 * Reads a source by `readOnce`, and where that breaks off in the middle goes on from there, after a pause (the one that
 * Retry-After asks for, if it is longer), for as long as this brings something: the receiver sees one reading. A source that sends no
 * parts is read a second time from its beginning, whose known bytes are dropped. Whatever comes is held to the size and the validators
 * of the first answer: SOURCE_CHANGED. What breaks off before it begins, or has no validators, fails at once. `shown` stands for the
 * source in failures.
 */
export async function continueReading(
  readOnce: ReadOnce, shown: string, request: SourceRequest, receiver: Receiver, signal: AbortSignal, pause: Pause,
): Promise<void> {
  const reading = new ContinuedReading(shown, request, receiver);
  for (;;) {
    try {
      await readOnce(reading.nextRequest(), reading, signal);
      reading.checkWhole();
      return;
    } catch (error) {
      // A chunk that is still held must be taken before the next one comes.
      await reading.taken();
      signal.throwIfAborted();
      if (!reading.mayGoOn(error)) throw error;
    }
    await pause(reading.pauseMs, signal);
  }
}

/** What was read so far, over all continuations. */
class ContinuedReading implements Receiver {
  readonly #shown: string;
  readonly #request: SourceRequest;
  readonly #receiver: Receiver;
  #start: SourceStart | undefined;
  /** Where in the content the next byte for the receiver lies. */
  #position = 0;
  /** How much of what comes the receiver has already. */
  #knownBytes = 0;
  #hasBegunAnew = false;
  #taking: Promise<void> | undefined;
  #isRefused = false;
  #fruitless = 0;
  #markedPosition = 0;
  #lastBreak: unknown;
  #retryAfterMs = 0;

  constructor(shown: string, request: SourceRequest, receiver: Receiver) {
    this.#shown = shown;
    this.#request = request;
    this.#receiver = receiver;
  }

  get pauseMs(): number {
    return Math.max(this.#retryAfterMs, Math.min(shortestPauseMs * 2 ** this.#fruitless, longestPauseMs));
  }

  nextRequest(): SourceRequest {
    if (this.#start === undefined) return this.#request;
    const { sizeBytes, validators } = this.#start;
    const goesOn = this.#position > 0 && sizeBytes !== undefined && validators !== undefined;
    return { ...this.#request, resume: goesOn ? { offsetBytes: this.#position, sizeBytes, validators } : undefined };
  }

  begin(start: SourceStart): void {
    if (this.#start === undefined) {
      this.#start = start;
      this.#position = start.offsetBytes;
      this.#markedPosition = start.offsetBytes;
      return this.#passing(() => this.#receiver.begin(start));
    }
    if (start.sizeBytes !== this.#start.sizeBytes || !areSame(start.validators, this.#start.validators)) {
      throw this.#changed('has another content than before');
    }
    this.#knownBytes = this.#position - start.offsetBytes;
    if (this.#knownBytes === 0) return;
    // Once may be an accident; a source that never sends parts is not asked for all of it again and again.
    if (this.#hasBegunAnew) throw this.#lastBreak;
    this.#hasBegunAnew = true;
  }

  receive(chunk: Uint8Array): Promise<void> | undefined {
    const dropped = Math.min(this.#knownBytes, chunk.length);
    this.#knownBytes -= dropped;
    if (dropped === chunk.length) return undefined;
    const fresh = dropped === 0 ? chunk : chunk.subarray(dropped);
    const sizeBytes = this.#start?.sizeBytes;
    if (sizeBytes !== undefined && this.#position + fresh.length > sizeBytes) throw this.#changed(`sent more than the ${sizeBytes} bytes announced`);
    this.#position += fresh.length;
    this.#taking = this.#passing(() => this.#receiver.receive(fresh));
    return this.#taking;
  }

  /** Resolves when the receiver has taken, or refused, what it was given. */
  async taken(): Promise<void> {
    try {
      await this.#taking;
    } catch {
      this.#isRefused = true;
    }
  }

  /** A body in chunks may end early without breaking off. */
  checkWhole(): void {
    const sizeBytes = this.#start?.sizeBytes;
    if (sizeBytes === undefined || this.#position === sizeBytes) return;
    const metadata = { bytes_received: String(this.#position), bytes_expected: String(sizeBytes) };
    const message = `${this.#shown} ended after ${this.#position} bytes of ${sizeBytes} announced. Try again.`;
    throw new FailureError(failure('SOURCE_TRUNCATED', message, metadata));
  }

  /** Whether to go on after this error; counts how often that has been in vain. */
  mayGoOn(error: unknown): boolean {
    const isBreak = error instanceof FailureError && error.failure.retryable && breaks.has(error.failure.reason);
    if (!isBreak || this.#isRefused || error === this.#lastBreak) return false;
    const { sizeBytes, validators } = this.#start ?? {};
    if (validators === undefined || sizeBytes === undefined || this.#position >= sizeBytes) return false;
    this.#lastBreak = error;
    this.#retryAfterMs = Number(error.failure.metadata['retry_after_seconds'] ?? 0) * 1_000;
    if (this.#retryAfterMs > longestHeededMs) return false;
    if (this.#position - this.#markedPosition >= progressBytes) {
      this.#markedPosition = this.#position;
      this.#fruitless = 0;
      return true;
    }
    this.#fruitless += 1;
    return this.#fruitless <= continuationLimit;
  }

  /** What the receiver throws is no fault of the source. */
  #passing<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      this.#isRefused = true;
      throw error;
    }
  }

  #changed(what: string): FailureError {
    return new FailureError(failure('SOURCE_CHANGED', `${this.#shown} ${what}: the content has changed while it was read. Try again once it rests.`));
  }
}
