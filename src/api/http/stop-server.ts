import type { Server } from 'node:http';

import { lastWordMs } from './timeouts.ts';

/**
 * Stops `server`: waits `graceMs` for open requests, calls `abortCalls`, waits a moment more, and cuts off what is left.
 * The caller sees to it that a connection whose last request has been answered is closed instead of kept.
 */
export async function stopServer(server: Server, graceMs: number, abortCalls: () => void): Promise<void> {
  const grace = setTimeout(abortCalls, graceMs);
  const end = setTimeout(() => server.closeAllConnections(), graceMs + lastWordMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearTimeout(grace);
  clearTimeout(end);
}
