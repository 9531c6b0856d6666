import type { Server } from '@grpc/grpc-js';

/** What calls that were aborted at the end of the grace may take to send their last word. */
export const lastWordMs = 250;

/** Stops `server`: waits `graceMs` for open calls, calls `abortCalls`, waits a moment more, and cuts off what is left. */
export async function stopServer(server: Server, graceMs: number, abortCalls: () => void): Promise<void> {
  const closed = new Promise<'closed'>((resolve) => {
    server.tryShutdown(() => resolve('closed'));
  });
  if (await within(closed, graceMs) === 'closed') return;
  abortCalls();
  if (await within(closed, lastWordMs) === 'closed') return;
  server.forceShutdown();
  await closed;
}

async function within<Value>(promise: Promise<Value>, timeoutMs: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
