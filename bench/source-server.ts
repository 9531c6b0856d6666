import { createServer } from 'node:http';
import { createReadStream, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A plain HTTP server for the files of a folder, in a process of its own: what images are imported from. */
const [folder = '.'] = process.argv.slice(2);
const server = createServer((request, response) => {
  const path = join(folder, new URL(request.url ?? '/', 'http://localhost').pathname);
  try {
    response.writeHead(200, { 'content-length': statSync(path).size, 'content-type': 'application/octet-stream' });
    createReadStream(path, { highWaterMark: 1 << 20 }).pipe(response);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(0, '127.0.0.1', () => { process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`); });
process.on('SIGTERM', () => { process.exit(0); });
