import type { Task } from '../../src/gen/lehr/v1/task.ts';

/** What an answer shows of a task. */
export interface Seen {
  readonly id: string;
  readonly state: Task['state'];
  readonly cancelRequested: boolean;
  readonly revision: number;
}

/** The answer to a create or cancel that a read token came from: the read must show at least that. */
export interface TokenOrigin {
  readonly startMs: number;
  readonly revision: number;
}

/**
 * What was asked for. `content` stands for everything in a create beside its request id; `needsImage`: it is refused where the image that
 * it names was deleted before.
 */
export type AskedCall =
  | { readonly kind: 'create'; readonly content: string; readonly needsImage?: boolean }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'get'; readonly id: string; readonly token: TokenOrigin | undefined };

/**
 * What came of it. `refused`: the server said no, and `reason` is that of its ErrorInfo. `unknown`: nobody said whether it
 * was done; it may be done at any later time, or never.
 */
export type Answer =
  | { readonly kind: 'ok'; readonly seen: Seen }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly why: string };

/** One call of a client. Times are milliseconds of one monotonic clock. */
export interface Operation {
  /** The order in which operations began: 1, 2, 3 … */
  readonly number: number;
  /** The request id under which the task was asked for: names the history that this operation belongs to. */
  readonly requestId: string;
  /** Who was asked. */
  readonly node: string;
  readonly call: AskedCall;
  readonly startMs: number;
  readonly endMs: number;
  readonly answer: Answer;
}
