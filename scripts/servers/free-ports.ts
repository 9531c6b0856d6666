import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * The range that ports are picked from. It lies below the range that Linux gives outgoing connections (32768 and up,
 * `net.ipv4.ip_local_port_range`), so that no connection takes a port between the look and the server's start, nor
 * while a killed server waits for its next start.
 */
const LOWEST_PORT = 15_000;
const HIGHEST_PORT = 32_700;

/** Ports that are looked at before the search is given up. */
const LOOKS_LIMIT = 1_000;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Picks `count` different TCP ports at random on which nothing listens on 127.0.0.1 now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let looks = 0; ports.size < count; looks += 1) {
    if (looks === LOOKS_LIMIT) throw new Error(`No ${count} free ports in ${LOOKS_LIMIT} looks.`);
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT + 1);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}
