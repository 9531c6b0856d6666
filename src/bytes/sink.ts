import { FailureError } from '../domain/failures.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import { slotBytes } from './bounds.ts';
import type { PoolResult, TransferSync } from './messages.ts';
import type { SlotWaiter } from './slot-pool.ts';
import type { StagedResult, SyncedPrefix } from './staged-file.ts';
import type { LinkClient, ThreadLink } from './thread-link.ts';

/** Where the bytes of a transfer go. */
export interface SinkTarget {
  /** The file to create. It must not exist. */
  readonly path: string;
  /** The same relative to the store, for failures. */
  readonly name: string;
  /** What the bytes are said to be; unspecified: found out from the head. */
  readonly declared: DiskFormat;
  /**
   * Called at most once, when the transfer has failed: the head was refused, the store is full, the thread died. The file
   * is removed by then. `write` and `finish` reject with the same error, but a source that stalls calls neither.
   */
  onFailure(error: Error): void;
  /** Called with each beginning that became durable while more came, every `checkpointEveryBytes` at most. */
  onSynced?(prefix: SyncedPrefix): void;
}

interface PendingWrite {
  readonly rest: Uint8Array;
  offset: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * A transfer into a staged file. It borrows a slot only for bytes that are there: a slot leaves for the thread when it is
 * full or when the turn of the event loop ends, except while an earlier one of the same transfer is still under way; then
 * it goes as soon as that one comes back. (Nagle's idea, RFC 896: small pieces while the thread is idle, large ones while it
 * is busy.) So no slot ever waits for a source.
 */
export class Sink implements LinkClient, SlotWaiter {
  readonly #link: ThreadLink;
  readonly #id: number;
  readonly #target: SinkTarget;
  #opened = false;
  #slot: number | undefined;
  #view: Uint8Array | undefined;
  #filledBytes = 0;
  #underWay = 0;
  #restarts = 0;
  #write: PendingWrite | undefined;
  #kept: Uint8Array = new Uint8Array(0);
  #sync: PromiseWithResolvers<SyncedPrefix> | undefined;
  #finish: PromiseWithResolvers<StagedResult> | undefined;
  #abort: PromiseWithResolvers<void> | undefined;
  #error: Error | undefined;
  #over = false;

  constructor(link: ThreadLink, id: number, target: SinkTarget) {
    this.#link = link;
    this.#id = id;
    this.#target = target;
    link.join(id, this);
  }

  /**
   * Takes all of `chunk`, whose memory may be used again after the call. A promise: no slot was free, and nothing more may be
   * written until it resolves; it rejects when the transfer fails or is aborted. Throws if it has failed already.
   */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#error !== undefined) throw this.#error;
    if (this.#write !== undefined || this.#finish !== undefined) throw new Error('A sink takes one chunk at a time, and none after finish.');
    const offset = this.#fill(chunk, 0);
    if (offset === chunk.length) return undefined;
    const rest = this.#keep(chunk.subarray(offset));
    return new Promise((resolve, reject) => {
      this.#write = { rest, offset: 0, resolve, reject };
      this.#link.slots.wait(this);
    });
  }

  /** Drops what was written: the next chunk is the first. Not while a `write` waits. */
  restart(): void {
    this.#handOver();
    if (!this.#opened) return;
    this.#restarts += 1;
    this.#link.send({ kind: 'restart', id: this.#id });
  }

  /** Resolves when what was written so far is durable, with its digest. Not while a `write` or another `sync` waits. */
  sync(): Promise<SyncedPrefix> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    this.#handOver();
    this.#open();
    this.#link.send({ kind: 'sync', id: this.#id });
    this.#sync = Promise.withResolvers();
    return this.#sync.promise;
  }

  /**
   * Ends a transfer that did not come to its end, as `finish` does, so that a later one may go on where it stopped. A `write` that
   * waits rejects with `reason`, and its chunk may be cut.
   */
  keep(reason: Error): Promise<StagedResult> {
    this.#link.slots.stopWaiting(this);
    this.#write?.reject(reason);
    this.#write = undefined;
    return this.finish();
  }

  /** All bytes were written. Resolves when they are durable; rejects with the failure otherwise. */
  finish(): Promise<StagedResult> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    this.#handOver();
    this.#open();
    this.#link.send({ kind: 'finish', id: this.#id });
    this.#finish = Promise.withResolvers();
    return this.#finish.promise;
  }

  /**
   * Gives the transfer up. Pending calls reject with `reason`; the file is removed when this resolves. After `finish` has
   * resolved the file is the caller's and this does nothing.
   */
  abort(reason: Error): Promise<void> {
    if (this.#abort !== undefined) return this.#abort.promise;
    this.#reject(reason);
    if (this.#over || !this.#opened) {
      if (!this.#over) this.#link.leave(this.#id);
      this.#over = true;
      return Promise.resolve();
    }
    this.#abort = Promise.withResolvers();
    this.#link.send({ kind: 'abort', id: this.#id, path: this.#target.path });
    return this.#abort.promise;
  }

  /** Called by the link. */
  take(slot: number): void {
    const write = this.#write;
    if (write === undefined) return this.#link.slots.give(slot);
    this.#hold(slot);
    write.offset = this.#fill(write.rest, write.offset);
    if (write.offset < write.rest.length) return this.#link.slots.wait(this);
    this.#write = undefined;
    write.resolve();
  }

  /** Called by the link. */
  slotFreed(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#handOver();
  }

  /** Called by the link. */
  turnEnded(): void {
    if (this.#underWay === 0) this.#handOver();
  }

  /** Called by the link. */
  synced({ sizeBytes, digest, restarts, asked }: TransferSync): void {
    // Of bytes that were dropped, perhaps while this was on its way.
    if (restarts !== this.#restarts) return;
    if (asked) this.#sync?.resolve({ sizeBytes, digest });
    else this.#target.onSynced?.({ sizeBytes, digest });
  }

  /** Called by the link. */
  ended(result: PoolResult): void {
    // The thread may have finished or failed before it read of the abort; only the answer to the abort counts then.
    if (this.#abort !== undefined && result.kind === 'finished') return this.#link.join(this.#id, this);
    this.#over = true;
    if (this.#abort !== undefined) return this.#abort.resolve();
    if (result.kind === 'finished') {
      const { sizeBytes, digest, wrapper } = result;
      this.#finish?.resolve({ sizeBytes, digest, ...(wrapper === undefined ? {} : { wrapper }) });
      return;
    }
    const error = endingError(result);
    this.#reject(error);
    this.#target.onFailure(error);
  }

  #fill(chunk: Uint8Array, start: number): number {
    let offset = start;
    while (offset < chunk.length) {
      if (this.#slot === undefined) {
        const slot = this.#link.slots.tryTake();
        if (slot === undefined) return offset;
        this.#hold(slot);
      }
      const room = slotBytes - this.#filledBytes;
      const part = offset === 0 && chunk.length <= room ? chunk : chunk.subarray(offset, offset + room);
      this.#view?.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      offset += part.length;
      if (this.#filledBytes < slotBytes) continue;
      this.#handOver();
      // A turn can bring megabytes: let the thread begin. While it has work of this transfer, the rest travels together.
      if (this.#underWay === 1) this.#link.sendNow();
    }
    return offset;
  }

  /** Copies what found no slot; a chunk at most, and in the same memory each time. */
  #keep(rest: Uint8Array): Uint8Array {
    if (this.#kept.length < rest.length) this.#kept = Buffer.allocUnsafeSlow(rest.length);
    this.#kept.set(rest);
    return this.#kept.subarray(0, rest.length);
  }

  #hold(slot: number): void {
    this.#slot = slot;
    this.#view = this.#link.slotView(slot);
    this.#filledBytes = 0;
    this.#link.atTurnEnd(this);
  }

  #handOver(): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    this.#slot = undefined;
    this.#view = undefined;
    this.#open();
    this.#underWay += 1;
    this.#link.sendSlot(this.#id, slot, this.#filledBytes, this);
  }

  #open(): void {
    if (this.#opened) return;
    this.#opened = true;
    const { path, name, declared } = this.#target;
    this.#link.send({ kind: 'open', id: this.#id, path, name, declared });
  }

  #reject(error: Error): void {
    this.#error ??= error;
    this.#link.slots.stopWaiting(this);
    if (this.#slot !== undefined) this.#link.slots.give(this.#slot);
    this.#slot = undefined;
    this.#write?.reject(error);
    this.#write = undefined;
    this.#sync?.reject(error);
    this.#sync = undefined;
    this.#finish?.reject(error);
    this.#finish = undefined;
  }
}

function endingError(result: PoolResult): Error {
  switch (result.kind) {
    case 'failed':
      return new FailureError(result.failure);
    case 'crashed':
      return new Error('A pool thread hit a bug while it handled these bytes.', { cause: result.error });
    case 'finished':
    case 'aborted':
    case 'inspected':
    case 'decoded':
      return new Error(`A pool thread answered "${result.kind}" to a transfer that had not asked.`);
    default:
      return result satisfies never;
  }
}
