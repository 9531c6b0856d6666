import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What a line below /slow/ sends every 100 ms: 10 KB a second. */
const slowPieceBytes = 1_000;

/** A plain HTTP server for the files of a folder, in a process of its own: what images are imported from. */
const [folder = '.'] = process.argv.slice(2);
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const isSlow = pathname.startsWith('/slow/');
  const path = join(folder, isSlow ? pathname.slice('/slow'.length) : pathname);
  try {
    response.writeHead(200, { 'content-length': statSync(path).size, 'content-type': 'application/octet-stream' });
    if (isSlow) return trickle(path, response);
    createReadStream(path, { highWaterMark: 1 << 20 }).pipe(response);
  } catch {
    response.writeHead(404).end();
  }
});

/** Sends the beginning of a file slowly, for as long as somebody takes it. */
function trickle(path: string, response: ServerResponse): void {
  const file = openSync(path, 'r');
  const timer = setInterval(() => {
    const piece = Buffer.alloc(slowPieceBytes);
    readSync(file, piece);
    response.write(piece);
  }, 100);
  response.on('error', () => undefined).once('close', () => {
    clearInterval(timer);
    closeSync(file);
  });
}

server.listen(0, '127.0.0.1', () => { process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`); });
process.on('SIGTERM', () => { process.exit(0); });
