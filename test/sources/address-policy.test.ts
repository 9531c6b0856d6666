import type { LookupAddress } from 'node:dns';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { FailureError } from '../../src/domain/failures.ts';
import { HttpConnections } from '../../src/sources/http-connections.ts';
import { parseSourceAllow } from '../../src/sources/parse-source-allow.ts';
import { readHttpSource } from '../../src/sources/read-http-source.ts';
import type { SourceAllow } from '../../src/sources/source-allow.ts';
import { startBadServer } from './bad-server.ts';
import { keepingReceiver, readFailing, settings } from './read.ts';

const never = new AbortController().signal;

const allowing = (text: string): SourceAllow => parseSourceAllow(text) as SourceAllow;

const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const v6 = (address: string): LookupAddress => ({ address, family: 6 });

/** Reads a source whose names resolve as the test says, question by question, the last answer again and again. */
async function read(t: ExecutionContext, uri: string, allow: string, answers: readonly (readonly LookupAddress[])[]): Promise<{
  readonly outcome: string;
  readonly asked: readonly string[];
}> {
  const sourceAllow = allowing(allow);
  const asked: string[] = [];
  const connections = new HttpConnections(settings.idleTimeoutMs, sourceAllow, (name, done) => {
    asked.push(name);
    done(null, answers[Math.min(asked.length, answers.length) - 1] ?? []);
  });
  t.teardown(() => connections.close());
  const receiver = keepingReceiver();
  try {
    await readHttpSource(new URL(uri), undefined, { ...settings, sourceAllow }, connections, receiver, never);
    return { outcome: receiver.bytes().toString(), asked };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return { outcome: `${error.failure.reason} ${error.message}`, asked };
  }
}

const refused: readonly (readonly [addresses: readonly LookupAddress[], allow: string, says: RegExp])[] = [
  [[v4('127.0.0.1')], 'none', /resolves to a private address, which the setting source-allow does not open/],
  [[v6('::1')], 'none', /source-allow/],
  [[v6('::ffff:127.0.0.1')], 'none', /source-allow/],
  [[v4('0.0.0.0')], '127.0.0.1', /source-allow/],
  [[v4('8.8.8.8'), v4('127.0.0.1')], 'none', /source-allow/],
  [[v4('127.0.0.1'), v4('10.0.0.1')], '127.0.0.0/8', /source-allow/],
  [[v4('127.0.0.1')], '127.0.0.1:1', /source-allow/],
  [[v4('127.0.0.1')], 'other.example,*.innocent.example', /source-allow/],
  [[v4('127.0.0.1'), v4('169.254.169.254')], 'private', /link-local or metadata address, which is never contacted/],
  [[v4('127.0.0.1'), v6('64:ff9b::a9fe:a9fe')], 'innocent.example', /never contacted/],
];

for (const scheme of ['http', 'https']) {
  for (const [addresses, allow, says] of refused) {
    const shown = addresses.map(({ address }) => address).join(' and ');
    test(`${scheme} to a name that resolves to ${shown} is refused with source-allow ${allow}, and nothing is contacted`, async (t) => {
      const { origin, sockets } = await startBadServer(t, (_, response) => void response.end());
      const { outcome } = await read(t, `${scheme}://innocent.example:${new URL(origin).port}/disk`, allow, [addresses]);
      t.regex(outcome, /^REASON_SOURCE_NOT_ALLOWED /);
      t.regex(outcome, says);
      t.false(addresses.some(({ address }) => outcome.includes(address)), 'a caller does not learn what names resolve to');
      t.deepEqual(sockets, []);
    });
  }
}

for (const allow of ['private', 'innocent.example', '*.example', '127.0.0.1', '127.0.0.0/8']) {
  test(`a name that resolves to loopback is read with source-allow ${allow}`, async (t) => {
    const { origin } = await startBadServer(t, (_, response) => void response.end('content'));
    const { outcome } = await read(t, `http://innocent.example:${new URL(origin).port}/`, allow, [[v4('127.0.0.1')]]);
    t.is(outcome, 'content');
  });
}

test('a name that flips between check and connection leads to the address that was checked', async (t) => {
  const { origin, sockets } = await startBadServer(t, (_, response) => void response.writeHead(200, { connection: 'close' }).end('content'));
  const flipping = [[v4('127.0.0.1')], [v4('127.0.0.2')]];
  const { outcome, asked } = await read(t, `http://flip.example:${new URL(origin).port}/`, '127.0.0.1', flipping);
  t.deepEqual({ outcome, asked }, { outcome: 'content', asked: ['flip.example'] });
  // The server listens at 127.0.0.1 alone.
  t.is(sockets.length, 1);
});

test('a name that flips between two hops of a redirect is judged again', async (t) => {
  const { origin, sockets } = await startBadServer(t, (_, response) => {
    response.writeHead(302, { location: '/there', connection: 'close' }).end();
  });
  const { outcome, asked } = await read(t, `http://flip.example:${new URL(origin).port}/`, '127.0.0.1', [[v4('127.0.0.1')], [v4('127.0.0.2')]]);
  t.regex(outcome, /^REASON_SOURCE_NOT_ALLOWED .*source-allow/);
  t.deepEqual([asked, sockets.length], [['flip.example', 'flip.example'], 1]);
});

for (const to of [
  'http://127.0.0.1:PORT/', 'http://[::ffff:127.0.0.1]:PORT/', 'http://0x7f.1:PORT/', 'http://2130706433:PORT/', 'http://127.0.0.1.:PORT/', 'http://0.0.0.0:PORT/',
  'http://localhost:PORT/', 'http://169.254.169.254/latest/', 'http://[::ffff:169.254.169.254]/', '//user@127.0.0.1:PORT/', 'http:\\\\127.0.0.1:PORT/',
]) {
  test(`a redirect to ${to} is refused where only the first server is opened, and not followed`, async (t) => {
    const inner = await startBadServer(t, (_, response) => void response.end('secret'));
    const port = new URL(inner.origin).port;
    const outer = await startBadServer(t, (_, response) => void response.writeHead(302, { location: to.replace('PORT', port) }).end());
    const { reason, retryable } = await readFailing(outer.origin, { sourceAllow: allowing(outer.origin.slice('http://'.length)) });
    t.deepEqual({ reason, retryable }, { reason: 'REASON_SOURCE_NOT_ALLOWED', retryable: false });
    t.deepEqual(inner.sockets, []);
  });
}

test('source-allow opens exactly one port', async (t) => {
  const open = await startBadServer(t, (_, response) => void response.end('content'));
  const shut = await startBadServer(t, (_, response) => void response.end('secret'));
  const allow = `127.0.0.1:${new URL(open.origin).port}`;
  t.is((await read(t, open.origin, allow, [])).outcome, 'content');
  t.regex((await read(t, shut.origin, allow, [])).outcome, /^REASON_SOURCE_NOT_ALLOWED .*source-allow/);
  const { message } = await readFailing(shut.origin, { sourceAllow: allowing(allow) });
  t.is(message, `The address 127.0.0.1 is private, and the setting source-allow does not open port ${new URL(shut.origin).port} of it. Ask the operator to open it.`);
  t.deepEqual(shut.sockets, []);
});

test('an address in a URL is judged where the connection is made, too', async (t) => {
  const { origin, sockets } = await startBadServer(t, (_, response) => void response.end());
  for (const uri of [origin, origin.replace('http:', 'https:'), 'http://[::1]:1/']) {
    t.regex((await read(t, uri, 'none', [])).outcome, /^REASON_SOURCE_NOT_ALLOWED /);
  }
  t.deepEqual(sockets, []);
});

test('what localhost is, the system says, and it is judged', async (t) => {
  const { origin, sockets } = await startBadServer(t, (_, response) => void response.end());
  const { reason, message } = await readFailing(origin.replace('127.0.0.1', 'localhost'), { sourceAllow: [] });
  t.is(reason, 'REASON_SOURCE_NOT_ALLOWED');
  t.regex(message, /The host of http:\/\/localhost:\d+\/ resolves to a private address/);
  t.deepEqual(sockets, []);
});
