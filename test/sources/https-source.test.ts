import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import test from 'ava';
import { createSources } from '../../src/sources/create-sources.ts';
import { openly } from '../../src/sources/source.ts';
import { readFailing, settings } from './read.ts';

const folder = mkdtempSync(join(tmpdir(), 'lehr-https-'));
test.after.always(() => rmSync(folder, { recursive: true }));

const keyFile = join(folder, 'key.pem');
const certFile = join(folder, 'cert.pem');
const made = spawnSync('openssl', [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
  ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile],
]);

if (made.status !== 0) process.stderr.write('openssl is missing; without it sources over https are not tested.\n');
else {
  const body = Buffer.alloc(3_000_000, 'lehr');
  const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) }, (_, response) => {
    response.writeHead(200, { 'content-length': body.length });
    response.end(body);
  });
  test.before(() => once(server.listen(0, '127.0.0.1'), 'listening'));
  test.after.always(() => {
    server.closeAllConnections();
    server.close();
  });
  const port = (): number => (server.address() as AddressInfo).port;

  test.serial('a certificate that nobody vouches for is refused and named, and trying again is no use', async (t) => {
    const { message, ...failed } = await readFailing(`https://localhost:${port()}/disk`);
    t.deepEqual(failed, { reason: 'REASON_SOURCE_UNREACHABLE', retryable: false, metadata: { system_error: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
    t.regex(message, /certificate .* DEPTH_ZERO_SELF_SIGNED_CERT/);
  });

  test.serial('content over https comes whole, also to a receiver that takes its time, on a connection used again', async (t) => {
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(certFile, 'utf8')]);
    let connections = 0;
    server.on('secureConnection', () => {
      connections += 1;
    });
    const sources = createSources(settings);
    for (let round = 0; round < 2; round += 1) {
      const chunks: Buffer[] = [];
      await sources.read(openly(`https://localhost:${port()}/disk`), {
        begin: (start) => t.is(start.sizeBytes, body.length),
        receive(chunk) {
          chunks.push(Buffer.from(chunk));
          return new Promise((resolve) => setImmediate(resolve));
        },
      }, new AbortController().signal);
      t.true(Buffer.concat(chunks).equals(body));
    }
    t.is(connections, 1);
    await sources.close();
  });

  test.serial('a certificate for another name is refused', async (t) => {
    const { reason, metadata } = await readFailing(`https://127.0.0.1:${port()}/disk`);
    t.deepEqual({ reason, metadata }, { reason: 'REASON_SOURCE_UNREACHABLE', metadata: { system_error: 'ERR_TLS_CERT_ALTNAME_INVALID' } });
  });
}
