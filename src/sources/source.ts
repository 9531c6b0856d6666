/** What to read. */
export interface SourceRequest {
  readonly uri: string;
  /** The name of a credential of the configuration; empty: none. */
  readonly credential: string;
  /** Whose task reads: credentials belong to owners. */
  readonly owner: string;
  /** The region that has it: `uri` is then a path there. */
  readonly region?: RegionContent;
  /** Where an earlier reading stopped, to go on from there; absent: from the first byte. */
  readonly resume?: ResumePoint;
}

/** What a source says of its content by which a later answer is known to be of the same content. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** How far an earlier reading came, and of what content. */
export interface ResumePoint {
  /** So many bytes are there: at least 1, and fewer than `sizeBytes`. */
  readonly offsetBytes: number;
  /** Of the whole content. */
  readonly sizeBytes: number;
  /** As the source gave them to that reading, in `SourceStart.validators`. */
  readonly validators: Validators;
}

/** What a region holds. */
export interface RegionContent {
  /** As the setting regions calls it. */
  readonly name: string;
  /** More bytes than the region said that there are are not taken: SOURCE_TOO_LARGE. */
  readonly sizeBytes: number;
}

/** What to read from a region. */
export type RegionalRequest = SourceRequest & { readonly region: RegionContent };

/** Reads as anybody may: without a credential. */
export function openly(uri: string): SourceRequest {
  return { uri, credential: '', owner: '' };
}

/** What a source says of its content before the first byte. */
export interface SourceStart {
  /** Where in the content the first byte that comes lies: as asked in `resume`, or 0: the source begins anew. */
  readonly offsetBytes: number;
  /** The size of the whole content, of which the bytes before `offsetBytes` do not come; undefined where the source does not say. */
  readonly sizeBytes: number | undefined;
  /** What a later reading may go on by, if the size is known; absent: it has to begin anew. */
  readonly validators?: Validators;
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

/** The content of a source, of which parts are read in any order. */
export interface RangedSource {
  readonly sizeBytes: number;
  /** See `SourceStart.facts`. */
  readonly facts: Readonly<Record<string, string>>;
  /**
   * The bytes at `offset`, at most `length` (up to `rangeLimitBytes`) of them; fewer only where the content ends. All parts
   * are of the content that was opened: one that has changed meanwhile is refused. Rejects as `Sources.read` does.
   */
  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Ends what is being read, and frees what is held. */
  close(): Promise<void>;
}

/** At most so many bytes are read at once from a ranged source. */
export const rangeLimitBytes = 16 * 1024 * 1024;

/** The part of the asked range that lies within the content. Throws RangeError for one that nobody may ask for. */
export function clampRange(offset: number, length: number, sizeBytes: number): { readonly offset: number; readonly length: number } {
  const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!isRange || length > rangeLimitBytes) throw new RangeError(`No ${length} bytes at ${offset} are read at once.`);
  const start = Math.min(offset, sizeBytes);
  return { offset: start, length: Math.min(length, sizeBytes - start) };
}

/** A source sends its content as a whole only: whoever wants parts of it has to read all of it. */
export class RangesUnsupportedError extends Error {
  override readonly name = 'RangesUnsupportedError';

  constructor(shown: string) {
    super(`${shown} does not send parts of its content.`);
  }
}

/**
 * Where the bytes of an import come from.
 *
 * `read` gives the whole content of what is asked for, in order, to `receiver`, and resolves when all of it was taken and nothing
 * contradicts what the source announced. With `resume` a source goes on at the offset if its content is the same by size and by
 * every validator; where it is another, or the source cannot, it begins anew, and that is no failure: `begin` tells which. It
 * rejects with a FailureError (`SOURCE_*`), with the receiver's error, or with the signal's reason; by then, or within the same
 * turn, its connection or file is closed, and the receiver is called no more.
 */
export interface Sources {
  read(request: SourceRequest, receiver: Receiver, signal: AbortSignal): Promise<void>;
  /**
   * Opens a source for reading in parts, without reading it as a whole. Rejects as `read` does, and with RangesUnsupportedError
   * where the source cannot; whoever opened it closes it.
   */
  openRanges(request: SourceRequest, signal: AbortSignal): Promise<RangedSource>;
  /** Closes idle connections, and those in use. */
  close(): Promise<void>;
}
