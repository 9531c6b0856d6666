/** Time, given to whatever needs it: the machine's in the service, a virtual one in simulations. */
export interface Clock {
  /** The wall clock: may be set forwards and backwards. */
  readonly now: () => Date;
  /** Milliseconds that only grow, for durations. */
  readonly monotonicMs: () => number;
  /** Calls `callback` after `delayMs` (0 to 2^31−1); the function that it returns takes that back. */
  readonly schedule: (delayMs: number, callback: () => void) => () => void;
}
