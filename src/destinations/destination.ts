/** The bytes that an export delivers: fixed before the delivery begins. */
export interface Artefact {
  readonly sizeBytes: number;
  /** "sha256:" and 64 lower-case hex digits. */
  readonly digest: string;
  /** The local file that holds them, for a destination that copies files. Read only. */
  readonly path: string;
  /** Whether it was made for this delivery, and can be made anew where it is damaged. */
  readonly isConverted?: boolean;
  /**
   * The bytes from `offset` on, in order, in chunks whose memory the taker keeps. The last chunk comes only after all of the file was
   * compared with `digest`: where it is another the iteration rejects with FailureError instead (`IMAGE_CORRUPT`, or
   * `STORE_UNAVAILABLE` for what was converted), so that a
   * destination which commits at the end of its input never commits damaged bytes.
   */
  chunks(offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Where to deliver to. */
export interface DestinationRequest {
  readonly uri: string;
  /** The name of a credential of the configuration; empty: none. */
  readonly credential: string;
  /** Whose task delivers: credentials belong to owners. */
  readonly owner: string;
}

/** Who delivers, and how it is watched and stopped. */
export interface Delivery {
  readonly taskId: string;
  /** 1, 2, 3 … */
  readonly attempt: number;
  /** The digests that this task has recorded: what exists at the destination with one of them, and its size, is ours. */
  readonly ours: readonly { readonly digest: string; readonly sizeBytes: number }[];
  readonly signal: AbortSignal;
  readonly progress: (bytesDone: number, bytesTotal: number) => void;
}

/** An export that has failed or was canceled. */
export interface EndedExport {
  readonly taskId: string;
  /** It had so many attempts. */
  readonly attempts: number;
  /** What they may have begun to send, as far as it is still there: some stores keep no mark of whose an upload is, but have its bytes. */
  readonly artefacts: readonly Pick<Artefact, 'sizeBytes' | 'chunks'>[];
}

/** What lies at the destination now. */
export interface Delivered {
  /** The address for people and programs, without secrets. */
  readonly location: string;
  /** Of what lies there: of the artefact, or of an earlier one of this task. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Whether it was read back, or the destination told its digest, and it is the one above. */
  readonly verified: boolean;
  /** Whether it lay there before: then it may be what another task with the same bytes delivered, and is not withdrawn. */
  readonly existed?: boolean;
}

/**
 * Where exports go.
 *
 * `deliver` puts the artefact there as a whole or not at all, and overwrites nothing: what exists there and is not `ours` rejects with
 * DESTINATION_EXISTS; what is ours is the result. Rejects with FailureError (`DESTINATION_*`, or what `chunks` rejects with) or the
 * signal's reason; by then whatever it had begun there is removed, or named in the failure's metadata as `left_behind`. An abort that comes
 * when the object may be whole already is not heeded: that it is there has to be known, by whoever has to withdraw it.
 */
export interface Destinations {
  deliver(request: DestinationRequest, artefact: Artefact, delivery: Delivery): Promise<Delivered>;
  /**
   * Removes what `deliver` put there, where its digest is still the given one: the task was canceled after the delivery. False: it is
   * there and could not be removed, or nobody can tell.
   */
  withdraw(request: DestinationRequest, delivered: Delivered, signal: AbortSignal): Promise<boolean>;
  /**
   * Removes what attempts of an export that died have begun and not made whole: parts, and files under names of their own. What is whole
   * stays. Rejects where it could not be looked for or removed.
   */
  removeLeftovers(request: DestinationRequest, ended: EndedExport, signal: AbortSignal): Promise<void>;
  /** Closes connections. */
  close(): Promise<void>;
}
