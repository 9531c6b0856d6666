import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Credentials } from '../../src/credentials/credential.ts';
import { Secret } from '../../src/credentials/secret.ts';
import { FailureError } from '../../src/domain/failures.ts';
import { credentialFault } from '../../src/sources/check-source-credential.ts';
import { checkSourceUri } from '../../src/sources/check-source-uri.ts';
import { createSources } from '../../src/sources/create-sources.ts';
import { keepingReceiver, settings } from './read.ts';

const never = new AbortController().signal;

async function listen(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const credentialFor = (...hosts: readonly string[]): Credentials => new Map([
  ['mirror', { kind: 'http', name: 'mirror', owners: ['anna'], hosts, authorization: new Secret('Bearer hush') }],
  ['minio', {
    kind: 's3', name: 'minio', owners: undefined, endpoint: new URL('https://s3.example'), region: 'x', accessKeyId: 'a', secretAccessKey: new Secret('hush'), pathStyle: false,
  }],
  ['keys', { kind: 'lehr', name: 'keys', owners: undefined, token: new Secret('hush') }],
]);

test('the header Authorization goes to the hosts of the credential, and to no other that a redirect leads to', async (t) => {
  const seen: string[] = [];
  const last = await listen(t, (request, response) => {
    seen.push(`last ${request.headers.authorization}`);
    response.end('whole');
  });
  const first = await listen(t, (request, response) => {
    seen.push(`first ${request.url} ${request.headers.authorization}`);
    if (request.headers.authorization === undefined) return void response.writeHead(401).end();
    response.writeHead(302, { location: request.url === '/a' ? '/b' : `http://${last}/c` }).end();
  });
  const read = async (hosts: readonly string[], uri: string): Promise<string> => {
    const sources = createSources({ ...settings, credentials: credentialFor(...hosts) });
    t.teardown(() => sources.close());
    const receiver = keepingReceiver();
    await sources.read({ uri, credential: 'mirror', owner: 'anna' }, receiver, never);
    return receiver.bytes().toString();
  };
  t.is(await read([`http://${first}`], `http://${first}/a`), 'whole');
  t.is(await read([`http://${first}`, `http://${last}`], `http://${first}/b`), 'whole');
  t.deepEqual(seen, [
    'first /a Bearer hush', 'first /b Bearer hush', 'last undefined',
    'first /b Bearer hush', 'last Bearer hush',
  ]);
});

test('parts are asked for with the credential too, and a refusal shows nothing of it', async (t) => {
  const seen = new Set<string | undefined>();
  const content = Buffer.alloc(400_000, 'lehr');
  const host = await listen(t, (request, response) => {
    seen.add(request.headers.authorization);
    if (request.url === '/closed') return void response.writeHead(403).end();
    const [, from = '0', to = '0'] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    const part = content.subarray(Number(from), Number(to) + 1);
    response.writeHead(206, { 'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${content.length}`, 'content-length': part.length });
    response.end(part);
  });
  const sources = createSources({ ...settings, credentials: credentialFor(`http://${host}`) });
  t.teardown(() => sources.close());
  const ranged = await sources.openRanges({ uri: `http://${host}/disk`, credential: 'mirror', owner: 'anna' }, never);
  t.deepEqual(Buffer.from(await ranged.read(399_996, 4, never)), content.subarray(399_996));
  t.deepEqual([...seen], ['Bearer hush']);
  const reading = sources.read({ uri: `http://${host}/closed`, credential: 'mirror', owner: 'anna' }, keepingReceiver(), never);
  const error = await t.throwsAsync(reading, { instanceOf: FailureError });
  t.is(error.failure.reason, 'REASON_SOURCE_FORBIDDEN');
  t.notRegex(JSON.stringify(error.failure), /hush/);
});

const unknown = 'no credential of this name is configured';

for (const [uri, name, owner, fault] of [
  ['http://mirror.example:8080/disk', '', 'anna', undefined],
  ['http://mirror.example:8080/disk', 'mirror', 'anna', undefined],
  ['http://Mirror.Example:8080/disk', 'mirror', 'anna', undefined],
  ['http://mirror.example:8080/disk', 'mirror', 'ben', unknown],
  ['http://mirror.example:8080/disk', 'other', 'anna', unknown],
  ['http://mirror.example:8080/disk', 'keys', 'anna', 'the credential is of kind lehr; one of kind http is needed here'],
  ['https://mirror.example/disk', 'mirror', 'anna', 'the credential is not for mirror.example:443'],
  ['https://secure.example/disk', 'mirror', 'anna', undefined],
  ['http://secure.example:443/disk', 'mirror', 'anna', 'the credential is not for http://secure.example:443'],
  ['file:///srv/disk', 'mirror', 'anna', 'file:// takes no credential; leave it out'],
  ['s3://bucket/key', '', 'anna', 's3:// needs the name of a credential of kind s3; ask the operator which there are'],
  ['swift://container/object', 'mirror', 'anna', 'the credential is of kind http; one of kind swift is needed here'],
  ['swift://container/object', 'mirror', 'ben', unknown],
  ['s3://bucket/key', 'minio', 'anna', undefined],
  ['s3://Bucket/key', 'minio', 'anna', 'the bucket Bucket cannot be part of a host\'s name; the credential needs path-style: true for it'],
] as const) {
  test(`${uri} with the credential "${name}" of ${owner}: ${fault ?? 'nothing is wrong'}`, (t) => {
    const checked = checkSourceUri(uri, { fileRoots: ['/srv'], sourceAllow: [] });
    if (!checked.ok) return t.fail(checked.message);
    t.is(credentialFault(checked, name, owner, credentialFor('http://mirror.example:8080', 'secure.example:443')), fault);
  });
}

test('a redirect to an object store is refused', async (t) => {
  const host = await listen(t, (_, response) => response.writeHead(302, { location: 's3://bucket/key' }).end());
  const sources = createSources(settings);
  t.teardown(() => sources.close());
  const reading = sources.read({ uri: `http://${host}/`, credential: '', owner: '' }, keepingReceiver(), never);
  const error = await t.throwsAsync(reading, { instanceOf: FailureError });
  t.is(error.failure.reason, 'REASON_SOURCE_NOT_ALLOWED');
});
