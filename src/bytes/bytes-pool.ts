import { FailureError, failure } from '../domain/failures.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import { slotsPerThread, threadDeathLimit } from './bounds.ts';
import type { PoolResult } from './messages.ts';
import { Sink } from './sink.ts';
import type { SinkTarget } from './sink.ts';
import { startPoolThread, ThreadLink } from './thread-link.ts';
import type { StartThread } from './thread-link.ts';

/** A stored file to inspect. */
export interface InspectTarget {
  readonly path: string;
  /** The same relative to the store, for failures. */
  readonly name: string;
  /** What the bytes are said to be; unspecified: found out. */
  readonly declared: DiskFormat;
  /** A guest's disk may not be larger. */
  readonly maxVirtualBytes: bigint;
}

/** What a pool may be given. */
export interface PoolOptions {
  /** Starts a thread. */
  readonly startThread?: StartThread;
  /** Told of each thread that died while the pool was open, with what the system said; for the log. */
  readonly onThreadDeath?: (cause: string) => void;
}

/** What a pool does at this moment. */
export interface PoolStats {
  readonly threads: number;
  readonly slots: number;
  /** Slots that hold bytes, or wait for the end of this turn. */
  readonly borrowedSlots: number;
  /** Transfers that wait for a slot. */
  readonly waiting: number;
  /** Transfers and inspections under way. */
  readonly load: number;
}

/**
 * The threads that hash, inspect and write the bytes of all transfers, off the main thread and in one pass. A transfer stays
 * with the thread that was least loaded when it began, since its hash lives there. Memory is bounded by slots, not by
 * transfers. A thread that dies fails what was pinned to it and is replaced, unless threads keep dying at once.
 */
export class BytesPool {
  readonly #links = new Set<ThreadLink>();
  readonly #startThread: StartThread;
  readonly #onThreadDeath: (cause: string) => void;
  #lastId = 0;
  #deaths = 0;
  #closed = false;

  /** Starts `workers` threads; 0 makes a pool that takes nothing. */
  constructor(workers: number, { startThread = startPoolThread, onThreadDeath = () => undefined }: PoolOptions = {}) {
    this.#startThread = startThread;
    this.#onThreadDeath = onThreadDeath;
    for (let started = 0; started < workers; started += 1) this.#start();
  }

  /** Begins a transfer. Nothing is created before its first bytes, or its end, have come. Throws FailureError without threads. */
  openSink(target: SinkTarget): Sink {
    return new Sink(this.#leastLoaded(), this.#nextId(), target);
  }

  /** Judges a stored file in a pool thread. Rejects with FailureError where the store fails; a refusal is a verdict. */
  inspect({ path, name, declared, maxVirtualBytes }: InspectTarget): Promise<Verdict> {
    const id = this.#nextId();
    return new Promise((resolve, reject) => {
      const link = this.#leastLoaded();
      link.join(id, { ended: (result) => settleInspection(result, resolve, reject) });
      link.send({ kind: 'inspect', id, path, name, declared, maxVirtualBytes });
    });
  }

  /** For metrics and tests. */
  stats(): PoolStats {
    const links = [...this.#links];
    const slots = links.length * slotsPerThread;
    return {
      threads: links.length,
      slots,
      borrowedSlots: slots - links.reduce((sum, link) => sum + link.slots.freeCount, 0),
      waiting: links.reduce((sum, link) => sum + link.slots.waitingCount, 0),
      load: links.reduce((sum, link) => sum + link.load, 0),
    };
  }

  /** Ends the threads. What is under way fails, and its files stay as they are. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#links].map((link) => link.close()));
  }

  #start(): void {
    this.#links.add(new ThreadLink(this.#startThread, (...death) => this.#replace(...death)));
  }

  #replace(link: ThreadLink, everAnswered: boolean, cause: string): void {
    this.#links.delete(link);
    if (this.#closed) return;
    this.#onThreadDeath(cause);
    this.#deaths = everAnswered ? 1 : this.#deaths + 1;
    if (this.#deaths < threadDeathLimit) this.#start();
  }

  #leastLoaded(): ThreadLink {
    let least: ThreadLink | undefined;
    for (const link of this.#links) {
      if (least === undefined || link.load < least.load) least = link;
    }
    if (least === undefined) throw new FailureError(failure('STORE_UNAVAILABLE', 'No thread is left to handle bytes; see the server\'s log.'));
    return least;
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

function settleInspection(result: PoolResult, resolve: (verdict: Verdict) => void, reject: (error: Error) => void): void {
  switch (result.kind) {
    case 'inspected':
      return resolve(result.verdict);
    case 'failed':
      return reject(new FailureError(result.failure));
    case 'crashed':
      return reject(new Error('A pool thread hit a bug while it inspected stored bytes.', { cause: result.error }));
    case 'finished':
    case 'aborted':
      return reject(new Error(`A pool thread answered "${result.kind}" to an inspection.`));
    default:
      result satisfies never;
  }
}
