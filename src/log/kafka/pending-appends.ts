import type { AppendOutcome } from '../event-log.ts';
import { isSuperseded, type Head } from '../head.ts';
import type { Position } from '../position.ts';
import type { LogRecord } from '../record.ts';

/** An append that waits for its own record to be read back. */
export interface PendingAppend {
  readonly record: LogRecord;
  readonly sizeBytes: number;
  readonly hash: string;
  readonly deadlineMs: number;
  readonly settle: (outcome: AppendOutcome) => void;
}

/** Appends that wait, by stream; usually one a stream. */
export class PendingAppends {
  readonly #bySubject = new Map<string, PendingAppend[]>();
  #count = 0;
  #idle = Promise.withResolvers<void>();

  get count(): number {
    return this.#count;
  }

  add(append: PendingAppend): void {
    const { ce_subject: subject } = append.record.headers;
    const others = this.#bySubject.get(subject);
    if (others === undefined) this.#bySubject.set(subject, [append]);
    else others.push(append);
    this.#count += 1;
  }

  /** Whether somebody waits for a record of this stream. */
  isAwaited(subject: string): boolean {
    return this.#bySubject.has(subject);
  }

  /**
   * The stream's head is `head` now. `accepted`: the place of the record that made it so. Settles each append of the stream that
   * this decides; a head that is not at its revision yet decides nothing.
   */
  onHead(subject: string, head: Head, accepted?: Position): void {
    for (const append of this.#bySubject.get(subject) ?? []) {
      const superseded = isSuperseded(head, append.record.headers, append.hash);
      if (superseded === undefined) continue;
      if (!superseded && accepted !== undefined) this.settle(append, { kind: 'accepted', position: accepted });
      // A copy of a record that was accepted before the append came: whoever sent it reads the head and sees it there.
      else this.settle(append, { kind: 'superseded' });
    }
  }

  settle(append: PendingAppend, outcome: AppendOutcome): void {
    const { ce_subject: subject } = append.record.headers;
    const others = this.#bySubject.get(subject)?.filter((other) => other !== append) ?? [];
    if (others.length === (this.#bySubject.get(subject)?.length ?? 0)) return;
    if (others.length === 0) this.#bySubject.delete(subject);
    else this.#bySubject.set(subject, others);
    this.#count -= 1;
    append.settle(outcome);
    if (this.#count > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
  }

  /** Gives up those whose time has come. */
  expire(nowMs: number, cause: unknown): void {
    for (const append of [...this.#bySubject.values()].flat()) {
      if (append.deadlineMs <= nowMs) this.settle(append, { kind: 'unknown', cause });
    }
  }

  /** Resolves once nobody waits. */
  async idle(): Promise<void> {
    while (this.#count > 0) await this.#idle.promise;
  }
}

/** The place of one record. */
export function placeOf(partition: number, offset: bigint): Position {
  return new Map([[partition, offset]]);
}
