import type { AcceptedRecord } from './accepted-record.ts';
import type { Position } from './position.ts';

/**
 * What became of an append. `accepted`: durable; `position` is its place. `superseded`: another record has that revision
 * of the stream. `unknown`: it may still land; read the head and decide anew.
 */
export type AppendOutcome =
  | { readonly kind: 'accepted'; readonly position: Position }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'unknown'; readonly cause: unknown };

/**
 * The one ordered record of events: the only truth (design §3). Every adapter passes the suite in
 * `test/contract/event-log.ts`.
 */
export interface EventLog {
  /**
   * Appends one record, given as canonical bytes. Concurrent callers share the cost of durability. At most one record
   * of a stream may be in flight: the caller sees to that.
   */
  append(canonical: Uint8Array, signal?: AbortSignal): Promise<AppendOutcome>;

  /**
   * Accepted records after `from`, in the order of each partition, in batches of at most `readBatchLimit`; waits for
   * more at the end until `signal` aborts, which ends the iteration. A reader that is slow loses nothing.
   */
  read(from: Position, signal: AbortSignal): AsyncIterable<readonly AcceptedRecord[]>;

  /**
   * A position at or past everything that was accepted when the call came: the barrier for refusals. With a subject only the
   * partition of that stream counts, so that another one that has halted does not matter. Rejects with `LogUnavailableError`.
   */
  end(subject?: string): Promise<Position>;

  /** Lets appends under way end, refuses new ones, and frees everything. */
  close(): Promise<void>;
}

/** A batch of `read` holds at most so many records. */
export const readBatchLimit = 1_000;

/** The log does not say within its time how far it goes, or this node does not get there: later, or elsewhere, it can be asked again. */
export class LogUnavailableError extends Error {
  override readonly name = 'LogUnavailableError';
}
