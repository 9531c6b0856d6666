import { LogUnavailableError } from '../log/event-log.ts';
import { formatPosition, parsePosition, type Position } from '../log/position.ts';
import { AppendUnknownError } from '../streams/streams.ts';
import { ProjectionLaggingError, type ReadSide } from '../streams/read-side.ts';
import { ApiError, invalidArgument } from './api-error.ts';

/** The token that lets a read see everything up to `position`. */
export function readTokenOf(position: Position): string {
  return formatPosition(position);
}

/** Waits until this node shows what `readToken` promises; the empty token promises nothing. */
export async function awaitReadToken(readSide: ReadSide, readToken: string, signal: AbortSignal): Promise<void> {
  if (readToken === '') return;
  const position = parsePosition(readToken);
  if (position === undefined) throw invalidArgument([{ field: 'read_token', description: 'is no token of this service; send one as you got it, or none' }]);
  await orUnavailable(readSide.reached(position, signal));
}

/** Turns what a lagging node or an uncertain log throws into UNAVAILABLE: the same again later is right. */
export async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof ProjectionLaggingError) {
      throw new ApiError('UNAVAILABLE', 'PROJECTION_LAGGING', 'This server has not caught up with the log yet. Try again in a moment.', { cause });
    }
    if (cause instanceof LogUnavailableError) {
      throw new ApiError('UNAVAILABLE', 'LOG_UNAVAILABLE', 'The log does not answer this server at the moment. Try again in a moment.', { cause });
    }
    if (cause instanceof AppendUnknownError) {
      const message = 'It is not known whether the change was stored. Send the same request again; to create a task, with the same request_id.';
      throw new ApiError('UNAVAILABLE', 'LOG_UNAVAILABLE', message, { cause });
    }
    throw cause;
  }
}
