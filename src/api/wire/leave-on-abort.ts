const nothing = (): void => undefined;

/**
 * Passes `messages` on. When `signal` aborts, their iterator's `return()` is called at once, even while it is asked for
 * the next message; a `for await` would wait for that message first.
 */
export async function* leaveOnAbort<Message>(messages: AsyncIterable<Message>, signal: AbortSignal): AsyncGenerator<Message, void> {
  const iterator = messages[Symbol.asyncIterator]();
  let ended: Promise<unknown> | undefined;
  const leave = (): void => {
    ended ??= Promise.resolve(iterator.return?.());
    ended.catch(nothing);
  };
  signal.addEventListener('abort', leave, { once: true });
  let done = false;
  try {
    while (!signal.aborted) {
      const next = await iterator.next();
      if (next.done === true) {
        done = true;
        return;
      }
      yield next.value;
    }
  } catch (thrown) {
    done = true;
    throw thrown;
  } finally {
    signal.removeEventListener('abort', leave);
    if (!done) leave();
    await ended;
  }
}
