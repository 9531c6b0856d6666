/** A sign of life. */
export interface Heartbeat {
  /** Id of the node: that of its data folder. */
  readonly node: string;
  /** Which life of the node this is: grows with each start. */
  readonly generation: number;
  /** Node and generation in one text, as `AttemptStarted` names them. */
  readonly incarnation: string;
  /** The last one: a goodbye. */
  readonly leaving: boolean;
}

/**
 * Carries heartbeats among all nodes; any of them may be lost. Whoever beats hears itself too, by the same way as the others
 * do: that is how it knows that it would hear them.
 */
export interface Heartbeats {
  /** Sends a heartbeat; never blocks and never throws. */
  beat(heartbeat: Heartbeat): void;
  /** Adds a listener, which must not throw; the function that it returns removes it. */
  listen(listener: (heartbeat: Heartbeat) => void): () => void;
}
