import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { pauseBeforeRetry } from './pause.ts';

/** How long a stream whose connection dropped is tried again: enough for a server to restart and catch up. */
export const resumeWindowMs = 120_000;

/** A stream of the API that says where it can be taken up again. */
export interface ResumableStream<Message> {
  readonly open: (token: string, signal: AbortSignal) => AsyncIterable<Message>;
  /** The place after a message, if it names one. */
  readonly tokenOf: (message: Message) => string | undefined;
  /** Where to begin; empty: at the beginning. */
  readonly firstToken: string;
  /** Whether an end without an error is the end, or a server that sent its watchers away. */
  readonly endsByItself: boolean;
  /** Whether the server has been reached before, so that a failure of the first try may be a restart too. */
  readonly wasReached: boolean;
  /** Told once for each time the connection is lost, not for each try. */
  readonly onLost: () => void;
  /** What stands between two tries, after `tries` of them. */
  readonly pause?: (tries: number, signal: AbortSignal) => Promise<void>;
  readonly nowMs: () => number;
}

/**
 * The messages of a stream across lost connections and restarts of the server. Tries again on UNAVAILABLE and on an end
 * that is none, from the last token, until {@link resumeWindowMs} have passed without a message; then, and for every other
 * error, it throws. Whoever reads must bear a message again that came after the last token.
 */
export async function* resumeStream<Message>(
  stream: ResumableStream<Message>, signal: AbortSignal,
): AsyncGenerator<Message, void, undefined> {
  const pause = stream.pause ?? pauseBeforeRetry;
  let token = stream.firstToken;
  let wasReached = stream.wasReached;
  let tries = 0;
  let lostSinceMs: number | undefined;
  for (;;) {
    let lost = new CommandError(exitCodes.unavailable, 'UNAVAILABLE', 'STREAM_ENDED', 'the server ends the stream again and again');
    try {
      for await (const message of stream.open(token, signal)) {
        wasReached = true;
        tries = 0;
        lostSinceMs = undefined;
        token = stream.tokenOf(message) ?? token;
        yield message;
      }
      if (stream.endsByItself) return;
    } catch (error) {
      if (!isUnavailable(error) || !wasReached) throw error;
      lost = error;
    }
    tries += 1;
    lostSinceMs ??= stream.nowMs();
    if (stream.nowMs() - lostSinceMs >= resumeWindowMs) throw lost;
    if (tries === 1) stream.onLost();
    await pause(tries, signal);
  }
}

/** Whether the same call may succeed in a moment. */
export function isUnavailable(error: unknown): error is CommandError {
  return error instanceof CommandError && error.code === 'UNAVAILABLE';
}
