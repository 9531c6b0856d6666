import test from 'ava';
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { freePorts } from '../../../scripts/servers/free-ports.ts';
import { startNats, type NatsServer, type StartNatsOptions } from '../../../scripts/servers/start-nats.ts';
import { connectNats, NatsUnavailableError } from '../../../src/jobs/nats/connect-nats.ts';
import { firstConnectLimitMs, NatsLink } from '../../../src/jobs/nats/nats-link.ts';
import type { NatsSettings } from '../../../src/jobs/nats/nats-settings.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { fasterClock, NatsBench, rememberingLog, type TestScope } from './nats-bench.ts';
import { startPlainNats } from './plain-nats.ts';

const password = 'hunter2-and-more';
const login = { username: 'lehr', password };

async function serverWith(scope: TestScope, options: StartNatsOptions): Promise<NatsServer> {
  const server = await startNats(options);
  scope.teardown(() => server.stop());
  return server;
}

async function connects(settings: NatsSettings): Promise<boolean> {
  const connection = await connectNats(settings);
  const isOpen = !connection.isClosed();
  await connection.close();
  return isOpen;
}

/** What the operator is told, which must not hold the password. */
async function refusal(settings: NatsSettings): Promise<{ readonly message: string; readonly isFinal: boolean }> {
  try {
    await connects(settings);
  } catch (cause) {
    if (!(cause instanceof NatsUnavailableError)) throw cause;
    const all = inspect(cause, { depth: 10 });
    if (all.includes(password)) throw new Error('the password is told', { cause });
    return { message: cause.message, isFinal: cause.isFinal };
  }
  throw new Error('nothing was refused');
}

/** The same of settings that are wrong: a server closes behind its answer, which on a busy machine may overtake it. */
async function finalRefusal(settings: NatsSettings): Promise<string> {
  for (;;) {
    const { message, isFinal } = await refusal(settings);
    if (isFinal) return message;
  }
}

if (hasTool('nats-server')) {
  test('a user is let in by name and password, and refused otherwise', async (t) => {
    const server = await serverWith(t, { auth: login });
    const servers = [server.url];
    t.true(await connects({ servers, login }));
    const expected = `nats-username, nats-password-file, nats-credentials: ${server.url} refuses them.`;
    t.is(await finalRefusal({ servers, login: { ...login, username: 'other' } }), expected);
    t.is(await finalRefusal({ servers, login: { username: 'lehr', password: `${password}!` } }), expected);
    t.is(await finalRefusal({ servers }), expected);
  });

  test('a user is let in by credentials', async (t) => {
    const server = await serverWith(t, { auth: 'credentials' });
    const servers = [server.url];
    const credentials = await readFile(server.credentialsFile ?? '', 'utf8');
    t.true(await connects({ servers, credentials }));
    const broken = await refusal({ servers, credentials: `${password} is no credential` });
    t.deepEqual(broken, { message: 'nats-credentials: the file holds no credentials. It must be a .creds file with a JWT and a seed.', isFinal: true });
  });

  test('servers are tried in their order', async (t) => {
    const server = await serverWith(t, {});
    const [nobody = 0] = await freePorts(1);
    t.true(await connects({ servers: [`127.0.0.1:${nobody}`, server.url] }));
    const gone = await refusal({ servers: [`127.0.0.1:${nobody}`] });
    t.deepEqual(gone, { message: `nats-servers: no connection to 127.0.0.1:${nobody}: connect ECONNREFUSED 127.0.0.1:${nobody}.`, isFinal: false });
  });

  test('a server that does not answer is not waited for', async (t) => {
    const server = await serverWith(t, {});
    server.pause();
    t.deepEqual(await refusal({ servers: [server.url] }), { message: `nats-servers: no connection to ${server.url}: TIMEOUT.`, isFinal: false });
  });

  test('a server without JetStream is refused with the remedy', async (t) => {
    const server = await startPlainNats(t, () => '');
    t.deepEqual(await refusal({ servers: [server] }), {
      message: `nats-servers: ${server} runs without JetStream. Switch it on (jetstream { store_dir: … }).`, isFinal: false,
    });
  });

  test('what the user may not do is told once, and not at each message', async (t) => {
    const bench = new NatsBench(t, await startPlainNats(t, (folder) => `
      jetstream { store_dir: ${JSON.stringify(folder)} }
      authorization { users: [{ user: lehr, password: "${password}", permissions: { publish: { deny: "*.*.heartbeats" } } }] }`));
    const node = await bench.node({ login });
    for (let beats = 0; beats < 20; beats += 1) node.link.publish(bench.names.heartbeats, 'x');
    while (node.log.said.length === 0) await node.link.connection.flush();
    await node.link.connection.flush();
    t.true(node.log.said.length <= 5);
    t.deepEqual(node.log.said[0], {
      level: 'warn',
      fields: { problem: 'PERMISSIONS_VIOLATION', operation: 'publish', subject: bench.names.heartbeats, queue: undefined },
      message: 'NATS refuses what this node asks of it: give its user more permissions',
    });
  });

  test('the first connection is waited for, and then given up with the setting and the remedy', async (t) => {
    const [nobody = 0] = await freePorts(1);
    const times = 20;
    const startMs = performance.now();
    const opening = NatsLink.open({ servers: [`127.0.0.1:${nobody}`] }, fasterClock(times), rememberingLog());
    const { message } = (await t.throwsAsync(opening, { instanceOf: NatsUnavailableError }));
    t.regex(message, /^nats-servers: no connection to .* Start NATS, or correct nats-servers\.$/);
    t.true((performance.now() - startMs) * times >= firstConnectLimitMs / 2);
  });

  test('a server that comes up a little later is met', async (t) => {
    const server = await serverWith(t, {});
    await server.kill();
    const opening = NatsLink.open({ servers: [server.url] }, fasterClock(1), rememberingLog());
    await server.start();
    const link = await opening;
    t.true(link.isUp);
    await link.close();
    t.false(link.isUp);
    t.throws(() => link.connection, { instanceOf: NatsUnavailableError });
  });

  if (hasTool('openssl')) {
    test('a server is reached over TLS by the authority that signed it, and by no other', async (t) => {
      const server = await serverWith(t, { tls: 'server' });
      const ca = await readFile(server.certificates?.caFile ?? '', 'utf8');
      const byName = server.url.replace('127.0.0.1', 'localhost');
      t.true(await connects({ servers: [server.url], tls: { ca } }));
      t.true(await connects({ servers: [byName], tls: { ca } }));
      t.deepEqual(await refusal({ servers: [server.url] }), { message: `nats-tls: ${server.url} wants TLS. Set nats-tls to on.`, isFinal: true });
      const unknown = await refusal({ servers: [server.url], tls: {} });
      t.regex(unknown.message, /^nats-tls-ca, nats-tls-cert, nats-tls-key: no TLS connection to .* unable to verify/);
    });

    test('a certificate for another address is refused', async (t) => {
      const server = await serverWith(t, { tls: 'server' });
      const ca = await readFile(server.certificates?.caFile ?? '', 'utf8');
      // The same machine under another address than the certificate names: it names localhost too, which must not count.
      const other = server.url.replace('127.0.0.1', '[::ffff:127.0.0.1]');
      const { message, isFinal } = await refusal({ servers: [other], tls: { ca } });
      t.true(isFinal);
      t.regex(message, /^nats-tls-ca, nats-tls-cert, nats-tls-key: .*is not in the cert's list/);
    });

    test('a certificate is shown to a server that asks for one', async (t) => {
      const server = await serverWith(t, { tls: 'mutual', auth: login });
      const files = server.certificates!;
      const [ca, cert, key] = await Promise.all([files.caFile, files.clientCertFile, files.clientKeyFile].map((file) => readFile(file, 'utf8')));
      const servers = [server.url];
      t.true(await connects({ servers, login, tls: { ca: ca!, cert: cert!, key: key! } }));
      t.regex(await finalRefusal({ servers, login, tls: { ca: ca! } }), /certificate/);
      const broken = await refusal({ servers, login, tls: { ca: ca!, cert: 'no certificate', key: key! } });
      t.deepEqual([broken.isFinal, broken.message.startsWith('nats-tls-ca, nats-tls-cert, nats-tls-key: ')], [true, true]);
    });

    test('TLS with a server that has none is refused', async (t) => {
      const server = await serverWith(t, {});
      const { message } = await refusal({ servers: [server.url], tls: {} });
      t.is(message, `nats-tls: ${server.url} speaks no TLS. Set nats-tls to off, or give the server a certificate.`);
    });
  }
}
