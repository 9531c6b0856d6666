import { checkpointEveryBytes } from '../bytes/bounds.ts';
import type { BytesPool } from '../bytes/bytes-pool.ts';
import type { Sink } from '../bytes/sink.ts';
import type { StagedResult, SyncedPrefix } from '../bytes/staged-file.ts';
import { headBytes } from '../formats/inspect-head.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ImageStore } from '../stores/image-store.ts';
import { noteOf } from './fetch-checkpoint.ts';
import type { FetchedContent } from './fetch-checkpoint.ts';
import { LatestNote } from './latest-note.ts';
import type { StageRun } from './stage.ts';

/** What a transfer works with. */
export interface TransferDeps {
  readonly pool: BytesPool;
  readonly store: ImageStore;
}

/**
 * The attempt's fetched file while it fills, with the note beside it that says how far it is durable: every `checkpointEveryBytes`,
 * and when it is kept. Notes are of a content that is known to be sound only: `describe` says so.
 */
export class StagedTransfer {
  readonly #run: StageRun;
  readonly #store: ImageStore;
  readonly #sink: Sink;
  readonly #note: LatestNote;
  #content: FetchedContent | undefined;
  #sizeBytes = 0;
  #isFinished = false;

  /** `onFailure` is told of what makes the file useless; see `SinkTarget`. */
  constructor(run: StageRun, { pool, store }: TransferDeps, declared: DiskFormat, onFailure: (error: Error) => void) {
    this.#run = run;
    this.#store = store;
    this.#note = new LatestNote((text) => store.writeNote(run.taskId, run.attempt, text));
    this.#sink = pool.openSink({
      ...store.stagedFile(run.taskId, run.attempt, 'fetched'), declared, onFailure, onSynced: (prefix) => this.#noteDown(prefix),
    });
  }

  /** How many bytes it was given. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Says what all bytes are of, those that are there and those that come; undefined: nobody will go on with them. */
  describe(content: FetchedContent | undefined): void {
    this.#content = content;
  }

  /** See `Sink.write`. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#sizeBytes += chunk.length;
    return this.#sink.write(chunk);
  }

  /** Drops what is there. */
  restart(): void {
    this.#content = undefined;
    this.#sizeBytes = 0;
    this.#sink.restart();
  }

  /** Makes what is there durable; its digest. Rejects with the signal's reason, and with the failure. */
  sync(signal: AbortSignal): Promise<SyncedPrefix> {
    return this.#until(signal, () => this.#sink.sync());
  }

  /** Notes how far the file is durable, and resolves when that is written. */
  async noteDown(prefix: SyncedPrefix): Promise<void> {
    this.#noteDown(prefix);
    await this.#note.settled();
  }

  /** All has come. A large file is noted as whole, so that an attempt after a crash has it. Rejects as `sync` does. */
  async finish(signal: AbortSignal): Promise<StagedResult> {
    const result = await this.#until(signal, () => this.#sink.finish());
    this.#isFinished = true;
    if (result.sizeBytes >= checkpointEveryBytes && this.#content !== undefined) this.#noteDown(result);
    await this.#note.settled();
    return result;
  }

  /** It has stopped: keeps what is there for a later attempt, where one could go on with it. */
  async keep(reason: Error): Promise<void> {
    // What the inspector has not seen the head of is not worth keeping.
    if (this.#content === undefined || this.#sizeBytes < headBytes) return this.discard(reason);
    try {
      this.#noteDown(await this.#sink.keep(reason));
    } catch {
      // A later attempt has the last note, if there is one.
    }
    await this.#note.settled();
  }

  /** It is of no use. The file is removed in its own time: a cancel does not wait for a flush that is under way. */
  async discard(reason: Error): Promise<void> {
    // What the thread says from now on is of a file that nobody goes on with.
    this.#content = undefined;
    void this.#sink.abort(reason);
    await this.#note.settled();
    // What is left here goes with the task.
    if (this.#note.hasWritten || this.#isFinished) await this.#store.discardPart(this.#run.taskId, this.#run.attempt, 'fetched').catch(() => undefined);
  }

  #noteDown({ sizeBytes, digest }: SyncedPrefix): void {
    const content = this.#content;
    if (content !== undefined && sizeBytes <= content.sizeBytes) this.#note.put(noteOf({ ...content, lengthBytes: sizeBytes, digest }));
  }

  async #until<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const stopped = Promise.withResolvers<never>();
    stopped.promise.catch(() => undefined);
    const stop = (): void => stopped.reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      return await Promise.race([work(), stopped.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
