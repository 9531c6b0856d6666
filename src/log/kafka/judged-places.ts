import { LogUnavailableError } from '../event-log.ts';
import { hasReached, type Position } from '../position.ts';
import type { Halt } from './judge.ts';

/** How far this node has judged the topic, and a way to wait until it is further. */
export class JudgedPlaces {
  /** The last record that was judged in each partition, void ones too. */
  readonly #judged = new Map<number, bigint>();
  readonly #halts = new Map<number, Halt>();
  #accepted: Position;
  #moved = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(judged: Position, accepted: Position) {
    for (const [partition, offset] of judged) this.#judged.set(partition, offset);
    this.#accepted = accepted;
  }

  /** The last record that was judged in a partition; -1: none. */
  judged(partition: number): bigint {
    return this.#judged.get(partition) ?? -1n;
  }

  /** The last accepted record in each partition. */
  get accepted(): Position {
    return this.#accepted;
  }

  get halts(): ReadonlyMap<number, Halt> {
    return this.#halts;
  }

  /** More was judged: the last record of each partition, and the last accepted one. */
  advance(judged: Position, accepted: Position): void {
    for (const [partition, offset] of judged) this.#judged.set(partition, offset);
    this.#accepted = accepted;
    this.tell();
  }

  /** False where the partition had halted before. */
  halt(halt: Halt): boolean {
    if (this.#halts.has(halt.partition)) return false;
    this.#halts.set(halt.partition, halt);
    this.tell();
    return true;
  }

  /** Those who wait look again. */
  tell(): void {
    const moved = this.#moved;
    this.#moved = Promise.withResolvers<void>();
    moved.resolve();
  }

  close(): void {
    this.#isClosed = true;
    this.tell();
  }

  /** Waits until every partition of `target` was judged up to there. Rejects with `LogUnavailableError`. */
  async reached(target: Position, signal: AbortSignal): Promise<void> {
    await this.until(() => {
      if (hasReached(this.#judged, target)) return true;
      const halted = [...target].find(([partition, offset]) => this.#halts.has(partition) && this.judged(partition) < offset);
      if (halted === undefined) return false;
      throw new LogUnavailableError(`partition ${halted[0]} of the log has halted: ${this.#halts.get(halted[0])?.message ?? ''}`);
    }, signal);
  }

  /** Waits until `isSo`, which is asked whenever something has moved. Rejects with `LogUnavailableError` when `signal` aborts. */
  async until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => { aborted.resolve(); };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!isSo()) {
        if (signal.aborted) throw new LogUnavailableError('this node did not read up to the end of the log in time');
        if (this.#isClosed) throw new LogUnavailableError('the log is closed');
        await Promise.race([this.#moved.promise, aborted.promise]);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
