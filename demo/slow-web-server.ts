import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A piece of a file, and the pause after it: about 5 MiB/s, so that there is something to watch. */
const pieceBytes = 256 * 1024;
const pauseMs = 50;

/** A web server on this machine. */
export interface WebServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** How much of the file at this path was sent so far, to whom ever. */
  readonly sentBytes: (path: string) => number;
  readonly close: () => Promise<void>;
}

/** Serves each path: a file where the value is an absolute path, slowly; a page where it is a text. */
export async function serveSlowly(content: Readonly<Record<string, string>>): Promise<WebServer> {
  const sent = new Map<string, number>();
  const server = createServer((request, response) => {
    const name = request.url ?? '';
    const found = content[name];
    if (found === undefined) response.writeHead(404).end();
    else if (path.isAbsolute(found)) {
      sendSlowly(found, response, (bytes) => sent.set(name, (sent.get(name) ?? 0) + bytes)).catch(() => response.destroy());
    }
    else response.writeHead(200, { 'content-type': 'text/html' }).end(found);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sentBytes: (name) => sent.get(name) ?? 0,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function sendSlowly(name: string, response: ServerResponse, onSent: (bytes: number) => void): Promise<void> {
  await using file = await open(name);
  const { size } = await file.stat();
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  for (let at = 0; at < size && !response.destroyed; at += pieceBytes) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(pieceBytes), 0, pieceBytes, at);
    response.write(buffer.subarray(0, bytesRead));
    onSent(bytesRead);
    await pause(pauseMs);
  }
  response.end();
}
