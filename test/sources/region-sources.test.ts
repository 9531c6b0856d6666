import test from 'ava';
import type { ExecutionContext } from 'ava';
import { FailureError } from '../../src/domain/failures.ts';
import { createSources } from '../../src/sources/create-sources.ts';
import type { SourceSettings } from '../../src/sources/create-sources.ts';
import { openly } from '../../src/sources/source.ts';
import type { SourceRequest } from '../../src/sources/source.ts';
import { startBadServer } from './bad-server.ts';
import { keepingReceiver, settings } from './read.ts';

const never = new AbortController().signal;
const body = Buffer.alloc(1_000, 'lehr');
const secret = 'token-of-blue';

/** Reads, with `dfw` at an origin and no private address open to sources; the bytes, or reason and message of the failure. */
async function read(t: ExecutionContext, origin: string, request: SourceRequest, changed: Partial<SourceSettings> = {}): Promise<string> {
  const regions = new Map([['dfw', { origin, tokenFor: (owner: string) => (owner === 'blue' ? secret : undefined) }]]);
  const sources = createSources({ ...settings, sourceAllow: [], regions, pause: async () => undefined, ...changed });
  t.teardown(() => sources.close());
  const receiver = keepingReceiver();
  try {
    await sources.read(request, receiver, never);
    return receiver.bytes().toString();
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return `${error.failure.reason} ${error.message}`;
  }
}

const ofRegion = (sizeBytes: number = body.length, owner = 'blue'): SourceRequest =>
  ({ uri: '/images/x/data', credential: '', owner, region: { name: 'dfw', sizeBytes } });

test('a region is reached although its address is private, and an import from there is not', async (t) => {
  const { origin, sockets } = await startBadServer(t, (_, response) => void response.end(body));
  t.is(await read(t, origin, ofRegion()), body.toString());
  t.regex(await read(t, origin, openly(`${origin}/images/x/data`)), /^REASON_SOURCE_NOT_ALLOWED .*source-allow/);
  t.is(sockets.length, 1);
  const byName = origin.replace('127.0.0.1', 'localhost');
  t.is(await read(t, byName, ofRegion()), body.toString());
  t.regex(await read(t, byName, openly(`${byName}/images/x/data`)), /^REASON_SOURCE_NOT_ALLOWED /);
});

test('a region is sent the token of the owner, and a task of somebody else none', async (t) => {
  const sent: unknown[] = [];
  const { origin } = await startBadServer(t, ({ url, headers }, response) => {
    sent.push([url, headers.authorization]);
    response.end(body);
  });
  await read(t, origin, ofRegion());
  await read(t, origin, ofRegion(body.length, 'red'));
  t.deepEqual(sent, [['/images/x/data', `Bearer ${secret}`], ['/images/x/data', undefined]]);
});

test('a token goes to no other place that the region redirects to, and to the region again', async (t) => {
  const sent: unknown[] = [];
  const elsewhere = await startBadServer(t, ({ url, headers }, response) => {
    sent.push(['elsewhere', headers.authorization]);
    response.writeHead(307, { location: `${origin}${url}?again` }).end();
  });
  const { origin } = await startBadServer(t, ({ url, headers }, response) => {
    sent.push(['region', headers.authorization]);
    if (url?.endsWith('?again') === true) response.end(body);
    else response.writeHead(307, { location: `${elsewhere.origin}${url}` }).end();
  });
  t.is(await read(t, origin, ofRegion(), { sourceAllow: [{ kind: 'private', port: undefined }] }), body.toString());
  t.deepEqual(sent, [['region', `Bearer ${secret}`], ['elsewhere', undefined], ['region', `Bearer ${secret}`]]);
});

test('where a region redirects to is judged as for anybody', async (t) => {
  const elsewhere = await startBadServer(t, (_, response) => void response.end(body));
  for (const host of ['127.0.0.1', 'localhost']) {
    const location = elsewhere.origin.replace('127.0.0.1', host);
    const { origin } = await startBadServer(t, (_, response) => void response.writeHead(302, { location }).end());
    t.regex(await read(t, origin, ofRegion()), /^REASON_SOURCE_NOT_ALLOWED .*source-allow/);
  }
  t.is(elsewhere.sockets.length, 0);
});

test('more bytes than the region described are not taken, whether it announces them or not', async (t) => {
  const announced = await startBadServer(t, (_, response) => void response.writeHead(200, { 'content-length': body.length }).end(body));
  const chunked = await startBadServer(t, (_, response) => {
    response.write(body);
    response.end();
  });
  for (const { origin } of [announced, chunked]) t.regex(await read(t, origin, ofRegion(body.length - 1)), /^REASON_SOURCE_TOO_LARGE /);
});

test('a reading that breaks off goes on with the token', async (t) => {
  const asked: unknown[] = [];
  const { origin } = await startBadServer(t, ({ headers }, response) => {
    const { range, authorization } = headers;
    asked.push([range, authorization]);
    const etag = '"sha256:00"';
    if (range === undefined) {
      response.writeHead(200, { 'content-length': body.length, etag, 'accept-ranges': 'bytes' });
      response.write(body.subarray(0, 400), () => response.socket?.resetAndDestroy());
      return;
    }
    const from = Number(/^bytes=(\d+)-/.exec(range)?.[1]);
    response.writeHead(206, { 'content-length': body.length - from, 'content-range': `bytes ${from}-${body.length - 1}/${body.length}`, etag });
    response.end(body.subarray(from));
  });
  t.is(await read(t, origin, ofRegion()), body.toString());
  t.deepEqual(asked, [[undefined, `Bearer ${secret}`], ['bytes=400-', `Bearer ${secret}`]]);
});
