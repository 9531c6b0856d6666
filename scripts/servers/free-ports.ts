import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';

/**
 * The range that ports are picked from. It lies below the range that Linux gives outgoing connections (32768 and up,
 * `net.ipv4.ip_local_port_range`), so that no connection takes a port between the look and the server's start, nor
 * while a killed server waits for its next start.
 */
const LOWEST_PORT = 15_000;
const HIGHEST_PORT = 32_700;

/**
 * Holds a file for each port that a process has picked, with its id: nobody else takes it before its server has started. One folder for
 * all processes, whatever their TMPDIR is.
 */
const CLAIMS = `/tmp/lehr-ports-${process.getuid?.() ?? 0}`;

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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether this process may have the port; until it ends no other one may. */
async function claim(port: number): Promise<boolean> {
  const file = path.join(CLAIMS, String(port));
  const created = await open(file, 'wx').catch(() => undefined);
  if (created !== undefined) {
    await created.writeFile(String(process.pid));
    await created.close();
    return true;
  }
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  // The claim of a process that has ended is free for the next look; one that is being written names nobody yet.
  if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
  return false;
}

/** Picks `count` different TCP ports at random on which nothing listens on 127.0.0.1 now, and that no other living process has picked. */
export async function freePorts(count: number): Promise<readonly number[]> {
  await mkdir(CLAIMS, { recursive: true });
  const ports = new Set<number>();
  for (let looks = 0; ports.size < count; looks += 1) {
    if (looks === LOOKS_LIMIT) throw new Error(`No ${count} free ports in ${LOOKS_LIMIT} looks.`);
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT + 1);
    if (await claim(port) && await isFree(port)) ports.add(port);
  }
  return [...ports];
}
