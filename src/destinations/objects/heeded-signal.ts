/** An abort signal that is no longer heeded once what is done may have taken effect. */
export interface HeededSignal {
  readonly signal: AbortSignal;
  /** From now on the signal stays as it is. */
  commit(): void;
  /** What was done has certainly had no effect: the signal follows again, at once where it would have aborted meanwhile. */
  resume(): void;
}

/** Follows another signal until `commit` is called, or `close`. */
export function heededSignal(followed: AbortSignal): HeededSignal & { close(): void } {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(followed.reason);
  const follow = (): void => {
    if (followed.aborted) onAbort();
    followed.addEventListener('abort', onAbort, { once: true });
  };
  const stop = (): void => followed.removeEventListener('abort', onAbort);
  follow();
  return { signal: controller.signal, commit: stop, resume: follow, close: stop };
}
