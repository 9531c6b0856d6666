/** What a source says of its content before the first byte. */
export interface SourceStart {
  /** The number of bytes that will come; undefined where the source does not say. */
  readonly sizeBytes: number | undefined;
  /** `etag`, `last_modified`, `content_type`, `host`: those that the source states, each at most `factLimit` characters. */
  readonly facts: Readonly<Record<string, string>>;
}

/** A fact is cut to so many characters. */
export const factLimit = 200;

/** Who takes what a source gives. */
export interface Receiver {
  /** Called once, before the first byte. Throwing ends the reading with that error. */
  begin(start: SourceStart): void;
  /**
   * Takes a chunk, whose memory is used again after the call. A promise: no other chunk comes until it resolves; a rejection,
   * or throwing, ends the reading with that error.
   */
  receive(chunk: Uint8Array): Promise<void> | undefined;
}

/** The content of a source, of which any part can be had. Whoever opened it closes it. */
export interface RangedSource {
  readonly sizeBytes: number;
  /** As of `SourceStart`. */
  readonly facts: Readonly<Record<string, string>>;
  /** All of the bytes asked for, which lie inside. Rejects as `Sources.read` does. */
  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The source gives its content as a whole only. */
export class RangesUnsupportedError extends Error {
  override readonly name = 'RangesUnsupportedError';
}

/**
 * Where the bytes of an import come from.
 *
 * `read` gives the whole content of `uri`, in order, to `receiver`, and resolves when all of it was taken and nothing
 * contradicts what the source announced. It rejects with a FailureError (`SOURCE_*`), with the receiver's error, or with the
 * signal's reason; by then, or within the same turn, its connection or file is closed, and the receiver is called no more.
 */
export interface Sources {
  read(uri: string, receiver: Receiver, signal: AbortSignal): Promise<void>;
  /** Opens the content for reading parts of it. Rejects as `read` does, and with `RangesUnsupportedError`. */
  openRanges(uri: string, signal: AbortSignal): Promise<RangedSource>;
  /** Closes idle connections, and those in use. */
  close(): Promise<void>;
}
