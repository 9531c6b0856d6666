import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { runCommand } from '../run-command.ts';

/** openssl is given up after this time. */
const OPENSSL_TIMEOUT_MS = 20_000;

/** How long the certificates are valid. */
const VALID_DAYS = '30';

/** Files in PEM: an authority, and what it signed for a server on loopback and for a client. Keys are PKCS #8. */
export type Certificates = {
  readonly caFile: string;
  readonly serverCertFile: string;
  readonly serverKeyFile: string;
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
};

async function openssl(...args: readonly string[]): Promise<void> {
  const { succeeded, output } = await runCommand('openssl', args, { timeoutMs: OPENSSL_TIMEOUT_MS });
  if (!succeeded) throw new Error(`openssl ${args[0] ?? ''} failed:\n${output}`);
}

/** Makes an authority of its own in `folder`, a certificate for a server at 127.0.0.1 and localhost, and one for a client. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const file = (name: string): string => path.join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const subject = (name: string): readonly string[] => ['-subj', `/CN=${name}`];
  await openssl(
    ...['req', '-x509', ...newKey, ...subject('Lehr test authority'), '-days', VALID_DAYS],
    ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
  );
  const sign = async (name: string, extensions: string): Promise<void> => {
    const request = file(`${name}.csr`);
    await openssl('req', ...newKey, ...subject(name), '-keyout', file(`${name}.key`), '-out', request);
    await writeFile(file(`${name}.ext`), extensions);
    await openssl(
      ...['x509', '-req', '-in', request, '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAserial', file(`${name}.srl`), '-CAcreateserial'],
      ...['-days', VALID_DAYS, '-extfile', file(`${name}.ext`), '-out', file(`${name}.pem`)],
    );
  };
  await Promise.all([
    sign('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n'),
    sign('client', 'extendedKeyUsage=clientAuth\n'),
  ]);
  return {
    caFile: file('ca.pem'),
    serverCertFile: file('server.pem'),
    serverKeyFile: file('server.key'),
    clientCertFile: file('client.pem'),
    clientKeyFile: file('client.key'),
  };
}
