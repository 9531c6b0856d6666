/** What became of a batch in the log's thread. */
export interface BatchOutcome {
  /** For each record: its position, or 0 where it was superseded. */
  readonly positions: readonly number[];
}

/** The way to the thread that owns the log's file. */
export interface AppendChannel {
  /** Stores a batch; resolves once it is durable and the projections hold it. Rejects where nothing was stored. */
  append(batch: readonly Uint8Array[]): Promise<BatchOutcome>;
  /** The position of the last durable record, after everything that was sent before. */
  end(): Promise<number>;
}
