import { readFile } from 'node:fs/promises';

import test from 'ava';
import { connect, credsAuthenticator } from 'nats';
import type { ConnectionOptions, NatsConnection } from 'nats';

import { startNats } from '../../scripts/servers/start-nats.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { sharedNats } from './shared-nats.ts';
import { uniqueTopic } from './unique-topic.ts';

const stream = uniqueTopic().replaceAll('.', '-');

async function withClient<T>(options: ConnectionOptions, use: (client: NatsConnection) => Promise<T>): Promise<T> {
  const client = await connect({ reconnect: false, ...options });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Adds a message to a stream, which is made where it is missing, and gives its number in the stream. */
const publish = (options: ConnectionOptions): Promise<number> =>
  withClient(options, async (client) => {
    const manager = await client.jetstreamManager();
    await manager.streams.add({ name: stream, subjects: [`${stream}.*`] });
    return (await client.jetstream().publish(`${stream}.one`, 'one')).seq;
  });

if (hasTool('nats-server')) {
  test('the shared nats-server has JetStream', async (t) => {
    t.is(await publish({ servers: await sharedNats(t) }), 1);
  });

  test('a nats-server keeps its streams when it is killed, and loses them when it is emptied', async (t) => {
    const nats = await startNats();
    t.teardown(() => nats.stop());
    const servers = nats.url;
    t.is(await publish({ servers }), 1);
    await nats.kill();
    await t.throwsAsync(publish({ servers }), { code: 'CONNECTION_REFUSED' });
    await nats.start();
    t.is(await publish({ servers }), 2);
    await nats.empty();
    t.is(await publish({ servers }), 1);
  });

  test('a paused nats-server answers nothing until it is resumed', async (t) => {
    const nats = await startNats();
    t.teardown(() => nats.stop());
    nats.pause();
    await t.throwsAsync(publish({ servers: nats.url, timeout: 100 }), { code: 'TIMEOUT' });
    nats.resume();
    t.is(await publish({ servers: nats.url }), 1);
  });

  test('a nats-server can ask for a name and a password', async (t) => {
    const auth = { username: 'le"hr', password: 'se\\cret$1' };
    const nats = await startNats({ auth });
    t.teardown(() => nats.stop());
    t.is(await publish({ servers: nats.url, user: auth.username, pass: auth.password }), 1);
    await t.throwsAsync(publish({ servers: nats.url, user: auth.username, pass: 'other' }), { code: 'AUTHORIZATION_VIOLATION' });
    await t.throwsAsync(publish({ servers: nats.url }), { code: 'AUTHORIZATION_VIOLATION' });
  });

  test('a nats-server can ask for credentials', async (t) => {
    const nats = await startNats({ auth: 'credentials' });
    t.teardown(() => nats.stop());
    const credentials = credsAuthenticator(await readFile(nats.credentialsFile ?? ''));
    t.is(await publish({ servers: nats.url, authenticator: credentials }), 1);
    await t.throwsAsync(publish({ servers: nats.url }), { code: 'AUTHORIZATION_VIOLATION' });
  });

  if (hasTool('openssl')) {
    test('a nats-server can ask for TLS and a certificate', async (t) => {
      const nats = await startNats({ tls: 'mutual' });
      t.teardown(() => nats.stop());
      const { caFile = '', clientCertFile: certFile = '', clientKeyFile: keyFile = '' } = nats.certificates ?? {};
      t.is(await publish({ servers: nats.url, tls: { caFile, certFile, keyFile } }), 1);
      await t.throwsAsync(publish({ servers: nats.url, tls: { caFile } }));
      await t.throwsAsync(publish({ servers: nats.url }));
    });
  }
}
