import type { Event } from '../gen/lehr/v1/event.ts';

/** What an event says, without its envelope. */
export type Payload = NonNullable<Event['payload']>;

/** An event as the domain sees it: what happened, when, and to whom it belongs. */
export interface DomainEvent<P extends Payload = Payload> {
  readonly payload: P;
  /** When it happened, by the clock of whoever decided it. */
  readonly time: Date;
  /** The owner of the stream. */
  readonly owner: string;
}

/** Why a command changes nothing. Each name is documented in `docs/reference/errors.md`. */
export type RefusalReason =
  | 'TASK_NOT_FOUND'
  | 'TASK_EXPIRED'
  | 'TASK_ENDED'
  | 'TASK_COMMITTED'
  | 'TASK_NOT_ENDED'
  | 'TASK_NOT_COMMITTED'
  | 'REQUEST_ID_REUSED'
  | 'ATTEMPT_RUNNING'
  | 'ATTEMPT_NOT_RUNNING'
  | 'ATTEMPT_NOT_OVERDUE'
  | 'ATTEMPT_SUPERSEDED'
  | 'CANCEL_REQUESTED'
  | 'CANCEL_NOT_REQUESTED'
  | 'NOT_DUE'
  | 'IMAGE_NOT_FOUND'
  | 'IMAGE_DELETED';

/**
 * What a decider answers: one event, or a named refusal, or `unchanged` when the command asks for what is already so
 * and may be answered with success.
 */
export type Decision<P extends Payload = Payload> =
  | { readonly kind: 'event'; readonly event: DomainEvent<P> }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string };

/** Nothing to do, and that is a success. */
export const unchanged: Decision<never> = { kind: 'unchanged' };

/** A refusal; `message` is for a person. */
export function refused(reason: RefusalReason, message: string): Decision<never> {
  return { kind: 'refused', reason, message };
}
