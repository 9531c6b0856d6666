import type { RefusalReason } from '../domain/decision.ts';
import { StageStoppedError } from '../stages/stage.ts';

/**
 * Why an attempt has to stop although it did not fail. `canceled`: the task is to be canceled. `superseded`: another
 * attempt has taken over, or the task has ended. `shutdown`: this process stops. `log`: events cannot be stored.
 */
export type OverReason = 'canceled' | 'superseded' | 'shutdown' | 'log';

/** Carries the reason out of the handler, also as the reason of the attempt's signal. */
export class AttemptOverError extends StageStoppedError {
  override readonly name = 'AttemptOverError';
  readonly reason: OverReason;

  constructor(reason: OverReason, options?: ErrorOptions) {
    // The next attempt of a task is not to find notes that come when it has taken over already.
    super(`the attempt is over: ${reason}`, reason === 'shutdown' || reason === 'log', options);
    this.reason = reason;
  }
}

/** What a refusal of one of the attempt's own events means for it. */
export function overBecause(refusal: RefusalReason): AttemptOverError {
  return new AttemptOverError(refusal === 'CANCEL_REQUESTED' ? 'canceled' : 'superseded');
}
