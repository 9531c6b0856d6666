import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bootable } from '../small-imports.ts';

/** A piece, and how often one is sent. */
const pieceBytes = 16_384;
const everyMs = 100;

/** A web server whose one file takes hours: what an attempt is busy with until it is killed or canceled. */
export async function startEndlessSource(): Promise<{ readonly url: string; readonly stop: () => void }> {
  const responses = new Set<ServerResponse>();
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': 2 ** 32, 'content-type': 'application/octet-stream' });
    response.write(bootable(randomBytes(pieceBytes)));
    responses.add(response);
    response.on('close', () => { responses.delete(response); });
  });
  const timer = setInterval(() => { for (const response of responses) response.write(randomBytes(pieceBytes)); }, everyMs);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.raw`,
    stop() {
      clearInterval(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}
