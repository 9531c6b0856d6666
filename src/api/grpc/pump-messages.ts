import type { ServerWritableStream } from '@grpc/grpc-js';

import { resetStream } from './reset-stream.ts';

const nothing = (): void => undefined;

/**
 * Sends every message of `messages`, holding at most `maxQueued` that the reader has not taken. Ends when they end, and
 * rejects with what they throw. When the caller leaves, or takes nothing for `stalledTimeoutMs` (its call is then reset),
 * the iterator's `return()` is called at once, even while it is asked for the next message.
 */
export async function pumpMessages(messages: AsyncIterable<unknown>, call: ServerWritableStream<unknown, unknown>,
  maxQueued: number, stalledTimeoutMs: number): Promise<void> {
  const iterator = messages[Symbol.asyncIterator]();
  let wake = nothing;
  let ended: Promise<unknown> | undefined;
  const leave = (): void => {
    // What clean-up throws meets nobody: the pump below awaits the same promise.
    ended ??= Promise.resolve(iterator.return?.());
    ended.catch(nothing);
    wake();
  };
  // One function for all messages: a write's callback is where the queue is seen to shrink.
  const taken = (): void => {
    if (call.writableLength < maxQueued) wake();
  };
  const room = async (): Promise<void> => {
    const stalled = setTimeout(() => resetStream(call), stalledTimeoutMs);
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    wake = nothing;
    clearTimeout(stalled);
  };

  call.once('cancelled', leave);
  try {
    while (!call.cancelled) {
      const next = await iterator.next();
      if (next.done === true) return;
      if (isGone(call)) break;
      call.write(next.value, taken);
      if (call.writableLength >= maxQueued) await room();
    }
    leave();
    await ended;
  } finally {
    call.off('cancelled', leave);
  }
}

/** Whether the caller left while something was awaited, which the compiler cannot know. */
const isGone = (call: ServerWritableStream<unknown, unknown>): boolean => call.cancelled;
