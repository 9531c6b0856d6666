import type { Artefact, Delivery, EndedExport } from '../destination.ts';
import type { HeededSignal } from './heeded-signal.ts';
import type { ObjectTarget } from './object-target.ts';
import type { PartBounds } from './part-plan.ts';

/** What one way of sending an artefact works with. */
export interface Upload {
  readonly target: ObjectTarget;
  readonly artefact: Artefact;
  readonly delivery: Delivery;
  /** Its `commit` is called before the request that makes the object visible, its `resume` where that was certainly refused. */
  readonly heeded: HeededSignal;
  readonly bounds: PartBounds;
  /** Waits before the `nth` retry of what failed with `error`. */
  readonly pause: (nth: number, error: unknown) => Promise<void>;
}

/** What attempts of a task may have left behind. */
export interface Leftovers extends Pick<Upload, 'target' | 'bounds'>, Pick<EndedExport, 'taskId' | 'artefacts'> {
  /** Whether the task has ended. Until then nothing is removed but where the object is there: no attempt can make one any more then. */
  readonly isEnded: boolean;
}

/** How an upload ended. */
export type UploadOutcome =
  /** The object is there under this ETag. `isProven`: the store told its own digests of all that was sent, and they are the right ones. */
  | { readonly kind: 'stored'; readonly etag: string; readonly isProven: boolean }
  /** Somebody else was faster, or an earlier request of ours whose answer was lost. */
  | { readonly kind: 'exists' };

/**
 * What differs from one kind of object store to the other. Everything rejects with EndpointError, StatusError, or what the chunks of
 * the artefact reject with.
 */
export interface ObjectWay {
  /** Sends all in one request that makes the object, if none is there. */
  sendWhole(upload: Upload): Promise<UploadOutcome>;
  /** Sends parts, makes one object of them, if none is there, and leaves no part behind otherwise. */
  sendParts(upload: Upload): Promise<UploadOutcome>;
  /** Removes what attempts of a task left behind when they died. */
  removeLeftovers(leftovers: Leftovers, signal: AbortSignal): Promise<void>;
  /** Removes the object and all that it consists of; true where there is none any more. */
  remove(target: ObjectTarget, signal: AbortSignal): Promise<boolean>;
}

/** Thrown where an upload may have taken effect although it failed: what belongs to it must not be removed. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError';

  constructor(cause: unknown) {
    super('Whether the object was made is not known.', { cause });
  }
}
