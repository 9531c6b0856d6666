import type { Server } from '@grpc/grpc-js';

/** What calls that were aborted at the end of the grace may take to send their last word. */
export const lastWordMs = 250;

/**
 * Stops `server`, which is bound to `address`: waits `graceMs` for open calls, calls `abortCalls`, waits a moment more, and
 * cuts off what is left.
 */
export async function stopServer(server: Server, address: string, graceMs: number, abortCalls: () => void): Promise<void> {
  const grace = setTimeout(abortCalls, graceMs);
  // Not forceShutdown, which in a server without channelz knows of no connection; and before tryShutdown, after which
  // drain takes connections that are still closing for closed ones (both in grpc-js 1.14).
  server.drain(address, graceMs + lastWordMs);
  await new Promise<void>((resolve) => {
    server.tryShutdown(() => resolve());
  });
  clearTimeout(grace);
}
