import type { HistoryQueries } from '../../projections/history/queries.ts';
import { hasReached, type Position } from '../log/position.ts';
import type { AppliedPosition } from '../projector/applied-position.ts';
import { foldStream } from '../projector/fold-stream.ts';
import { ProjectionLaggingError, readWaitMs, type ReadSide } from './read-side.ts';

/** The read side over this node's projections. */
export function projectedReadSide(history: HistoryQueries, applied: AppliedPosition): ReadSide {
  return {
    fold: (subject) => foldStream(subject, history.stream(subject)),
    async reached(target: Position, signal?: AbortSignal) {
      if (hasReached(applied.position, target)) return;
      const lagging = new ProjectionLaggingError(`the projections did not reach the log's position within ${readWaitMs} ms`);
      const deadline = AbortSignal.timeout(readWaitMs);
      try {
        await applied.reached(target, signal === undefined ? deadline : AbortSignal.any([deadline, signal]));
      } catch (cause) {
        if (deadline.aborted) throw lagging;
        throw cause;
      }
    },
  };
}
