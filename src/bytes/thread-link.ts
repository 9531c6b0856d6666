import { Worker } from 'node:worker_threads';
import { failure } from '../domain/failures.ts';
import { slotBytes, slotsPerThread, threadHeapMiB, threadYoungHeapMiB } from './bounds.ts';
import type { PoolCommand, PoolReply, PoolResult, PoolThreadData, TransferSync } from './messages.ts';
import { SlotPool } from './slot-pool.ts';

/** What a link tells one transfer or job. */
export interface LinkClient {
  /** The thread is done with a slot that this client had handed over; the slot is no longer the client's. */
  slotFreed?(): void;
  /** The turn of the event loop ends; asked for with `atTurnEnd`. */
  turnEnded?(): void;
  /** How far a job is; `bytesTotal` 0: unknown. */
  progressed?(bytesDone: number, bytesTotal: number): void;
  /** How much of a transfer has become durable. */
  synced?(sync: TransferSync): void;
  /** How it ended. Nothing follows. */
  ended(result: PoolResult): void;
}

/** Starts a pool thread; replaced in tests to get hold of it. */
export type StartThread = (data: PoolThreadData) => Worker;

/** Starts a pool thread from this folder, as it is in the source tree (.ts) or as it is published (.js). */
export const startPoolThread: StartThread = (data) =>
  new Worker(new URL(import.meta.url.endsWith('.ts') ? './pool-thread.ts' : './pool-thread.js', import.meta.url), {
    name: 'bytes',
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: threadHeapMiB, maxYoungGenerationSizeMb: threadYoungHeapMiB },
  });

/**
 * The main thread's end of one pool thread: its slots, the commands that travel to it in batches, and whom its answers are
 * for. When the thread dies, every client ends with a failure that may be retried, and `onDeath` is told once; a dead link
 * is not used again, so memory that a dying thread may still read is never handed out anew.
 */
export class ThreadLink {
  readonly slots = new SlotPool(slotsPerThread);
  readonly #memory = new SharedArrayBuffer(slotBytes * slotsPerThread);
  readonly #owners = new Array<LinkClient | undefined>(slotsPerThread);
  readonly #clients = new Map<number, LinkClient>();
  readonly #turnEnders = new Set<LinkClient>();
  readonly #worker: Worker;
  #outgoing: PoolCommand[] = [];
  #turnScheduled = false;
  #everAnswered = false;
  #error: unknown;

  constructor(startThread: StartThread, onDeath: (link: ThreadLink, everAnswered: boolean, cause: string) => void) {
    this.#worker = startThread({ memory: this.#memory, slotBytes });
    this.#worker.on('message', (reply: PoolReply) => this.#receive(reply));
    this.#worker.on('error', (error: unknown) => {
      this.#error = error;
    });
    this.#worker.on('exit', () => {
      const cause = this.#error instanceof Error ? this.#error.message : 'it was stopped';
      onDeath(this, this.#everAnswered, cause);
      this.#failAll(cause);
    });
  }

  /** The number of transfers and jobs that are pinned to this thread. */
  get load(): number {
    return this.#clients.size;
  }

  /** Pins a client to this thread until it has ended. */
  join(id: number, client: LinkClient): void {
    this.#clients.set(id, client);
  }

  /** Forgets a client that never sent a command. */
  leave(id: number): void {
    this.#clients.delete(id);
  }

  /** The memory of a slot that the caller holds. */
  slotView(slot: number): Uint8Array {
    return new Uint8Array(this.#memory, slot * slotBytes, slotBytes);
  }

  /** Sends a command at the end of this turn, together with all others of the turn. */
  send(command: PoolCommand): void {
    this.#outgoing.push(command);
    this.#scheduleTurnEnd();
  }

  /** Hands a slot over with its bytes; `owner` is told when it comes back. */
  sendSlot(id: number, slot: number, sizeBytes: number, owner: LinkClient): void {
    this.#owners[slot] = owner;
    this.send({ kind: 'data', id, slot, sizeBytes });
  }

  /** Sends what has gathered without waiting for the end of the turn. */
  sendNow(): void {
    this.#post();
  }

  /** Calls the client's `turnEnded` before this turn's commands are sent. */
  atTurnEnd(client: LinkClient): void {
    this.#turnEnders.add(client);
    this.#scheduleTurnEnd();
  }

  /** Ends the thread; what is under way fails. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #scheduleTurnEnd(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    setImmediate(() => {
      for (const client of this.#turnEnders) client.turnEnded?.();
      this.#turnEnders.clear();
      this.#turnScheduled = false;
      this.#post();
    });
  }

  #post(): void {
    if (this.#outgoing.length === 0) return;
    const commands = this.#outgoing;
    this.#outgoing = [];
    this.#worker.postMessage(commands);
  }

  #receive({ freedSlots, synced, progress, results }: PoolReply): void {
    this.#everAnswered = true;
    for (const { id, bytesDone, bytesTotal } of progress) this.#clients.get(id)?.progressed?.(bytesDone, bytesTotal);
    for (const slot of freedSlots) {
      const owner = this.#owners[slot];
      this.#owners[slot] = undefined;
      owner?.slotFreed?.();
      this.slots.give(slot);
    }
    for (const sync of synced) this.#clients.get(sync.id)?.synced?.(sync);
    for (const result of results) this.#end(result);
  }

  #end(result: PoolResult): void {
    const client = this.#clients.get(result.id);
    this.#clients.delete(result.id);
    client?.ended(result);
  }

  #failAll(cause: string): void {
    const died = failure('STORE_UNAVAILABLE', `The thread that handled these bytes ended unexpectedly (${cause}). Try again.`);
    for (const id of [...this.#clients.keys()]) this.#end({ kind: 'failed', id, failure: died });
  }
}
