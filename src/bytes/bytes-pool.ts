import { FailureError, failure } from '../domain/failures.ts';
import type { Verdict } from '../formats/verdict.ts';
import { slotsPerThread, threadDeathLimit } from './bounds.ts';
import type { Decoded } from './jobs/decode-job.ts';
import type { CopyJob, DecodeJob, DigestJob, InspectJob, PoolJob, PoolResult } from './messages.ts';
import { Sink } from './sink.ts';
import type { SinkTarget } from './sink.ts';
import type { StagedResult } from './staged-file.ts';
import { startPoolThread, ThreadLink } from './thread-link.ts';
import type { StartThread } from './thread-link.ts';

/** How a job is followed and given up. */
export interface JobRun {
  /** When it aborts the job is given up, and rejects at once with the signal's reason. */
  readonly signal: AbortSignal;
  /** Called now and then with how far the job is; `bytesTotal` 0: unknown. */
  progress(bytesDone: number, bytesTotal: number): void;
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
  /** Transfers and jobs under way. */
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

  /** Judges a stored file. Rejects with FailureError where the store fails; a refusal is a verdict. */
  async inspect(job: Omit<InspectJob, 'kind'>, run: JobRun): Promise<Verdict> {
    const result = await this.#run({ kind: 'inspect', ...job }, run);
    if (result.kind !== 'inspected') throw jobError(result);
    return result.verdict;
  }

  /** Size and digest of a stored file. Rejects with FailureError where the store fails. */
  async digest(job: Omit<DigestJob, 'kind'>, run: JobRun): Promise<StagedResult> {
    const result = await this.#run({ kind: 'digest', ...job }, run);
    if (result.kind !== 'finished') throw jobError(result);
    return { sizeBytes: result.sizeBytes, digest: result.digest };
  }

  /**
   * Copies a stored file into a new one, durably: size and digest of what is read back from there. Rejects with FailureError where the
   * store or the target fails; the target is removed then. An abort is answered only once the thread has let go of the target, so that
   * its folder may be closed.
   */
  async copy(job: Omit<CopyJob, 'kind'>, run: JobRun): Promise<StagedResult> {
    const result = await this.#run({ kind: 'copy', ...job }, run, 'wait');
    if (result.kind === 'aborted') throw run.signal.reason as Error;
    if (result.kind !== 'finished') throw jobError(result);
    return { sizeBytes: result.sizeBytes, digest: result.digest };
  }

  /** Takes an image out of its wrapper into a new file. Rejects with FailureError for a refusal and where the store fails. */
  async decode(job: Omit<DecodeJob, 'kind'>, run: JobRun): Promise<Decoded> {
    const result = await this.#run({ kind: 'decode', ...job }, run);
    if (result.kind !== 'decoded') throw jobError(result);
    return { sizeBytes: result.sizeBytes, digest: result.digest, facts: result.facts };
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

  /** `onAbort`: whether an abort leaves the thread to itself, or waits for what it answers. */
  async #run(job: PoolJob, run: JobRun, onAbort: 'leave' | 'wait' = 'leave'): Promise<PoolResult> {
    const { signal } = run;
    signal.throwIfAborted();
    const id = this.#nextId();
    const link = this.#leastLoaded();
    const ended = Promise.withResolvers<PoolResult>();
    const giveUp = (): void => {
      link.send({ kind: 'abort', id, path: '' });
      if (onAbort === 'leave') ended.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    link.join(id, { ended: ended.resolve, progressed: (bytesDone, bytesTotal) => { run.progress(bytesDone, bytesTotal); } });
    link.send({ kind: 'run', id, job });
    try {
      return await ended.promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
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

function jobError(result: PoolResult): Error {
  switch (result.kind) {
    case 'failed':
      return new FailureError(result.failure);
    case 'crashed':
      return new Error('A pool thread hit a bug while it worked on stored bytes.', { cause: result.error });
    case 'finished':
    case 'inspected':
    case 'decoded':
    case 'aborted':
      return new Error(`A pool thread answered "${result.kind}" to a job that had not asked.`);
    default:
      return result satisfies never;
  }
}
