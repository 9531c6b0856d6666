/** An abort signal that is no longer heeded once what is done may have taken effect. */
export interface HeededSignal {
  readonly signal: AbortSignal;
  /** From now on the signal stays as it is. */
  commit(): void;
}

/** Follows another signal until `commit` is called, or `close`. */
export function heededSignal(followed: AbortSignal): HeededSignal & { close(): void } {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(followed.reason);
  if (followed.aborted) onAbort();
  followed.addEventListener('abort', onAbort, { once: true });
  const stop = (): void => followed.removeEventListener('abort', onAbort);
  return { signal: controller.signal, commit: stop, close: stop };
}
