import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SWIFT_USERS } from '../../../scripts/servers/start-swift.ts';
import { startTcpProxy } from '../../../scripts/servers/tcp-proxy.ts';
import type { Credentials } from '../../../src/credentials/credential.ts';
import { Secret } from '../../../src/credentials/secret.ts';
import { FailureError } from '../../../src/domain/failures.ts';
import { createSources } from '../../../src/sources/create-sources.ts';
import type { Sources, SourceStart } from '../../../src/sources/source.ts';
import { artefactOf, credentialsAt, delivery, makeContainer, openStores, someBytes } from '../../destinations/objects/object-stores.ts';
import { startKeystoneDouble } from '../../servers/keystone-double.ts';
import { sharedSwift } from '../../servers/shared-swift.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { keepingReceiver, settings } from '../read.ts';

const never = new AbortController().signal;
const bytes = someBytes(450_000);

/** A container with `plain`, `static` (segments and a manifest) and `dynamic` (segments and a prefix), all of the same bytes. */
async function fill(t: ExecutionContext): Promise<{ readonly container: string; readonly origin: string; readonly port: number }> {
  const { origin, port } = await sharedSwift(t);
  const stores = openStores(credentialsAt(origin));
  const container = await makeContainer(stores);
  const whole = openStores(credentialsAt(origin), { wholeLimitBytes: 2 ** 20, partBytes: 2 ** 20, partLimit: 10 });
  const put = async (name: string, body: Buffer, headers: Record<string, string> = {}): Promise<void> => {
    const { status } = await stores.door('swift').ask({ method: 'PUT', address: { kind: 'swift', container, name }, body, headers }, never);
    if (status !== 201) throw new Error(`${status}`);
  };
  await whole.destinations.deliver({ uri: `swift://${container}/plain`, credential: 'swift', owner: '' }, artefactOf(bytes), delivery());
  await stores.destinations.deliver({ uri: `swift://${container}/static`, credential: 'swift', owner: '' }, artefactOf(bytes), delivery());
  await put('parts/1', bytes.subarray(0, 200_000));
  await put('parts/2', bytes.subarray(200_000));
  await put('dynamic', Buffer.alloc(0), { 'x-object-manifest': `${container}/parts/` });
  await Promise.all([stores.close(), whole.close()]);
  return { container, origin, port };
}

function sourcesFor(t: ExecutionContext, credentials: Credentials): Sources {
  const sources = createSources({ ...settings, credentials, now: () => new Date(), pause: () => Promise.resolve() });
  t.teardown(() => sources.close());
  return sources;
}

async function failing(reading: Promise<unknown>): Promise<{ reason: string; retryable: boolean; message: string }> {
  try {
    await reading;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { reason, retryable, message, metadata } = error.failure;
    return { reason, retryable, message: `${message} ${JSON.stringify(metadata)}` };
  }
  throw new Error('It was read.');
}

type Read = { readonly start: SourceStart | undefined; readonly content: Buffer };

async function readBy(sources: Sources, uri: string, credential: string): Promise<Read> {
  const receiver = keepingReceiver();
  await sources.read({ uri, credential, owner: 'anna' }, receiver, never);
  return { start: receiver.starts[0], content: receiver.bytes() };
}

if (hasTool('swift')) {
  test('plain, static and dynamic objects are read over both protocols, whole and in parts', async (t) => {
    const { container, origin } = await fill(t);
    const sources = sourcesFor(t, credentialsAt(origin));
    for (const [kind, name] of [['swift', 'plain'], ['swift', 'static'], ['swift', 'dynamic'], ['s3', 'plain'], ['s3', 'static']] as const) {
      const uri = `${kind}://${container}/${name}`;
      const { start, content } = await readBy(sources, uri, kind);
      t.true(content.equals(bytes), uri);
      t.like(start, { offsetBytes: 0, sizeBytes: bytes.length, facts: { host: new URL(origin).host } });
      const ranged = await sources.openRanges({ uri, credential: kind, owner: 'anna' }, never);
      t.is(ranged.sizeBytes, bytes.length);
      t.true(bytes.subarray(199_990, 200_010).equals(await ranged.read(199_990, 20, never)), uri);
      t.true(bytes.subarray(449_000).equals(await ranged.read(449_000, 9_000, never)), uri);
      await ranged.close();
    }
  });

  test('a reading goes on where the connection broke, and where an earlier reading stopped', async (t) => {
    const { container, port } = await fill(t);
    const proxy = await startTcpProxy(port);
    t.teardown(() => proxy.stop());
    for (const kind of ['s3', 'swift'] as const) {
      for (const name of ['plain', 'static']) {
        const sources = sourcesFor(t, credentialsAt(`http://127.0.0.1:${proxy.port}`));
        const request = { uri: `${kind}://${container}/${name}`, credential: kind, owner: 'anna' };
        const kept = keepingReceiver();
        let breaks = 0;
        await sources.read(request, {
          begin: kept.begin,
          receive(chunk) {
            void kept.receive(chunk);
            if (breaks > 0 || kept.bytes().length < 100_000) return undefined;
            breaks += 1;
            return proxy.cut().then(() => proxy.resume());
          },
        }, never);
        t.is(breaks, 1);
        t.true(kept.bytes().equals(bytes), request.uri);
        const validators = kept.starts[0]?.validators;
        t.regex(validators?.etag ?? '', /^"[0-9a-f]{32}(?:-[\dN]+)?"$/, request.uri);
        const rest = keepingReceiver();
        const resume = { offsetBytes: 300_000, sizeBytes: bytes.length, validators: validators ?? {} };
        await sources.read({ ...request, resume }, rest, never);
        t.like(rest.starts[0], { offsetBytes: 300_000, sizeBytes: bytes.length });
        t.true(rest.bytes().equals(bytes.subarray(300_000)), request.uri);
        const anew = keepingReceiver();
        const changed = { ...validators, etag: '"00000000000000000000000000000000"' };
        await sources.read({ ...request, resume: { ...resume, validators: changed } }, anew, never);
        t.like(anew.starts[0], { offsetBytes: 0 });
        t.true(anew.bytes().equals(bytes));
      }
    }
  });

  test('what is not there, and what a credential does not open, is named without a secret', async (t) => {
    const { container, origin, port } = await fill(t);
    const sources = sourcesFor(t, credentialsAt(origin));
    const gone = await startTcpProxy(port);
    await gone.stop();
    const nowhere = sourcesFor(t, credentialsAt(`http://127.0.0.1:${gone.port}`));
    for (const kind of ['s3', 'swift'] as const) {
      const at = (from: Sources, uri: string, credential: string = kind) => failing(readBy(from, uri, credential));
      const all = [
        await at(sources, `${kind}://${container}/nothing`),
        await at(sources, `${kind}://no-such-container/plain`),
        await at(sources, `${kind}://${container}/plain`, `wrong-${kind}`),
        await at(sources, `${kind}://${container}/plain`, ''),
        await at(sources, `${kind}://${container}/plain`, kind === 's3' ? 'swift' : 's3'),
        await at(nowhere, `${kind}://${container}/plain`),
      ];
      t.deepEqual(all.map(({ reason, retryable }) => [reason, retryable]), [
        ['REASON_SOURCE_NOT_FOUND', false], ['REASON_SOURCE_NOT_FOUND', false],
        ['REASON_SOURCE_FORBIDDEN', false], ['REASON_SOURCE_FORBIDDEN', false], ['REASON_SOURCE_FORBIDDEN', false],
        ['REASON_SOURCE_UNREACHABLE', true],
      ]);
      t.notRegex(JSON.stringify(all), /hush|secret-key|AUTH_tk|Signature/);
      t.regex(all[0]?.message ?? '', new RegExp(`^${kind}://${container}/nothing answered 404`));
    }
    const others = await failing(readBy(sources, `swift://${container}/plain`, 'bens-swift'));
    t.regex(others.reason, /NOT_FOUND|FORBIDDEN/);
  });

  test('Keystone gives the token and the address of its region, and a token that has expired is renewed once', async (t) => {
    const { container, origin } = await fill(t);
    const { key } = SWIFT_USERS.anna;
    for (const badTokens of [0, 1, 2]) {
      const keystone = await startKeystoneDouble(origin, key, badTokens);
      t.teardown(() => keystone.stop());
      const credential = {
        kind: 'swift', name: 'v3', owners: undefined, authUrl: new URL(keystone.url), username: 'anna', password: new Secret(key),
        auth: { version: 'v3', project: 'glass', userDomain: 'staff', projectDomain: 'staff', region: 'DFW' },
      } as const;
      const credentials: Credentials = new Map([
        ['v3', credential],
        ['wrong', { ...credential, password: new Secret('hush') }],
        ['nowhere', { ...credential, auth: { ...credential.auth, region: 'ORD' } }],
      ]);
      const sources = sourcesFor(t, credentials);
      const uri = `swift://${container}/plain`;
      if (badTokens < 2) t.true((await readBy(sources, uri, 'v3')).content.equals(bytes));
      else t.is((await failing(readBy(sources, uri, 'v3'))).reason, 'REASON_SOURCE_FORBIDDEN');
      t.is(keystone.logins(), Math.min(badTokens + 1, 2));
      if (badTokens > 0) continue;
      t.true((await readBy(sources, uri, 'v3')).content.equals(bytes));
      t.is(keystone.logins(), 1, 'the token is used again');
      const failures = [await failing(readBy(sources, uri, 'wrong')), await failing(readBy(sources, uri, 'nowhere'))];
      t.deepEqual(failures.map(({ reason }) => reason), ['REASON_SOURCE_FORBIDDEN', 'REASON_SOURCE_FORBIDDEN']);
      t.notRegex(JSON.stringify(failures), /hush|secret-key|AUTH_tk/);
    }
  });

  test('a part of an object that has changed meanwhile is refused', async (t) => {
    const { container, origin } = await fill(t);
    const stores = openStores(credentialsAt(origin));
    t.teardown(() => stores.close());
    const sources = sourcesFor(t, credentialsAt(origin));
    const ranged = await sources.openRanges({ uri: `swift://${container}/plain`, credential: 'swift', owner: 'anna' }, never);
    await stores.door('swift').ask({ method: 'PUT', address: { kind: 'swift', container, name: 'plain' }, body: someBytes(450_000, 'new') }, never);
    t.is((await failing(ranged.read(400_000, 10, never))).reason, 'REASON_SOURCE_CHANGED');
    await ranged.close();
  });
}
