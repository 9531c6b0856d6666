import type { StoredStream } from '../projector/fold-stream.ts';
import type { Position } from '../log/position.ts';

/** What deciding needs of the projections. */
export interface ReadSide {
  /** The stream folded from the history that this node has applied. */
  fold(subject: string): StoredStream;
  /** Resolves once `position` is applied here; rejects with `ProjectionLagging` when that takes longer than `readWaitMs`. */
  reached(position: Position, signal?: AbortSignal): Promise<void>;
}

/** A read or a refusal waits so long for the projections to catch up with the log. */
export const readWaitMs = 5_000;

/** This node has not caught up in time: another node, or this one a little later, can answer. */
export class ProjectionLaggingError extends Error {
  override readonly name = 'ProjectionLaggingError';
}
