/** Where an image's bytes come from. Throws `CommandError`; UNAVAILABLE when the rest may be had by asking again from further on. */
export interface ByteSource {
  /** The bytes from `offset` (below the image's size) to the end. */
  readonly read: (offset: bigint, signal: AbortSignal) => AsyncIterable<Uint8Array>;
}
