/** Time, given to whatever needs it: the machine's in the service, a virtual one in simulations. */
export interface Clock {
  /** The wall clock: may be set forwards and backwards. */
  now(): Date;
  /** Milliseconds that only grow, for durations. */
  monotonicMs(): number;
  /** Calls `callback` after `delayMs` (0 to 2^31−1); the function that it returns takes that back. */
  schedule(delayMs: number, callback: () => void): () => void;
}
