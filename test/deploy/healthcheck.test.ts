import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import test from 'ava';

import { runCommand } from '../../scripts/run-command.ts';
import { makeFolder } from '../acceptance/harness/lehr-server.ts';
import { serveHere } from '../api/serve-here.ts';

const script = path.resolve(import.meta.dirname, '../../deploy/healthcheck.mjs');

const check = (port: number) => runCommand(process.execPath, [script], { env: { LEHR_HTTP_PORT: String(port) }, timeoutMs: 20_000 });

test('the health check of the image succeeds on a node that is ready', async (t) => {
  const { httpUrl } = await serveHere(t, await makeFolder(t));
  t.deepEqual(await check(Number(new URL(httpUrl).port)), { succeeded: true, output: '200 {"status":"ready"}\n' });
});

test('it fails, and says why, where the node is not ready or nobody answers', async (t) => {
  const server = createServer((_request, response) => { response.writeHead(503).end('{"status":"not ready"}'); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.deepEqual(await check(port), { succeeded: false, output: '503 {"status":"not ready"}\n' });
  server.close();
  await once(server, 'close');
  const { succeeded, output } = await check(port);
  t.false(succeeded);
  t.regex(output, /^http:\/\/127\.0\.0\.1:\d+\/readyz does not answer: .*ECONNREFUSED/);
});
