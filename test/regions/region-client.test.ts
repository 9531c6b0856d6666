import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

import test from 'ava';

import { FailureError } from '../../src/domain/failures.ts';
import { openRegionClient } from '../../src/regions/region-client.ts';
import { startBadServer } from '../sources/bad-server.ts';

const id = '018f0000-0000-7000-8000-000000000000';
const never = new AbortController().signal;
const image = {
  id, name: 'web', format: 'DISK_FORMAT_RAW', sizeBytes: '512', virtualSizeBytes: '512', digest: `sha256:${'0a'.repeat(32)}`,
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const gives = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => void response.writeHead(status, headers).end(body);

interface Case {
  readonly what: string;
  readonly answer: Answer;
  readonly reason: string;
  readonly retryable: boolean;
  readonly says: RegExp;
  readonly metadata?: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  { what: 'has no such image', answer: gives(404, '{"code":"not_found"}'), reason: 'IMAGE_NOT_FOUND', retryable: false, says: /has no image/, metadata: { image_id: id } },
  { what: 'is no Lehr', answer: gives(404, '<html>'), reason: 'SOURCE_ERROR', retryable: false, says: /answered 404 to a question/, metadata: { http_status: '404' } },
  { what: 'redirects', answer: gives(302, '', { location: 'http://127.0.0.1:1/' }), reason: 'SOURCE_ERROR', retryable: false, says: /answered 302/, metadata: { http_status: '302' } },
  { what: 'wants a token', answer: gives(401, ''), reason: 'SOURCE_FORBIDDEN', retryable: false, says: /credential of kind lehr that is called dfw/, metadata: { http_status: '401' } },
  { what: 'wants another token', answer: gives(403, ''), reason: 'SOURCE_FORBIDDEN', retryable: false, says: /answered 403/, metadata: { http_status: '403' } },
  { what: 'has too much to do', answer: gives(429, ''), reason: 'REGION_UNREACHABLE', retryable: true, says: /answered 429/, metadata: { http_status: '429' } },
  {
    what: 'wants to be left alone', answer: gives(503, '', { 'retry-after': '9' }), reason: 'REGION_UNREACHABLE', retryable: true, says: /answered 503/,
    metadata: { http_status: '503', retry_after_seconds: '9' },
  },
  { what: 'lags', answer: gives(503, '{"code":"unavailable"}'), reason: 'REGION_UNREACHABLE', retryable: true, says: /answered 503/, metadata: { http_status: '503' } },
  { what: 'is broken', answer: gives(500, ''), reason: 'REGION_UNREACHABLE', retryable: true, says: /answered 500/, metadata: { http_status: '500' } },
  { what: 'answers with text', answer: gives(200, 'hello'), reason: 'SOURCE_ERROR', retryable: false, says: /no description of the image: the answer is no object/ },
  { what: 'describes another image', answer: gives(200, JSON.stringify({ image: { ...image, id: 'x' } })), reason: 'SOURCE_ERROR', retryable: false, says: /id is that of another image/ },
  { what: 'answers without end', answer: floods, reason: 'SOURCE_ERROR', retryable: false, says: /answered with more than 4194304 bytes/ },
  {
    what: 'answers with something that is no HTTP', answer: ({ socket }) => void socket.end('SSH-2.0-OpenSSH\r\n'), reason: 'SOURCE_ERROR', retryable: false,
    says: /no valid HTTP response/,
  },
  {
    what: 'drops the connection', answer: ({ socket }) => void socket.resetAndDestroy(), reason: 'REGION_UNREACHABLE', retryable: true,
    says: /did not answer \(ECONNRESET\)/, metadata: { system_error: 'ECONNRESET' },
  },
  {
    what: 'says nothing', answer: () => undefined, reason: 'REGION_UNREACHABLE', retryable: true, says: /did not answer/,
    metadata: { system_error: 'TimeoutError' },
  },
  {
    what: 'says one byte now and then', answer: trickles, reason: 'REGION_UNREACHABLE', retryable: true, says: /did not answer/,
    metadata: { system_error: 'TimeoutError' },
  },
];

function floods(_request: IncomingMessage, response: ServerResponse): void {
  const send = (): void => void response.write(Buffer.alloc(65_536, ' '), (error) => { if (error === null || error === undefined) send(); });
  send();
}

function trickles(_request: IncomingMessage, response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 100);
  response.once('close', () => clearInterval(timer));
}

for (const { what, answer, reason, retryable, says, metadata } of cases) {
  test(`a region that ${what} is ${reason}`, async (t) => {
    const { origin } = await startBadServer(t, answer);
    const client = openRegionClient(new Map([['dfw', { origin, tokenFor: () => undefined }]]), 1_000);
    t.teardown(() => client.close());
    const error = await t.throwsAsync(client.describe('dfw', id, 'blue', never), { instanceOf: FailureError });
    const { failure } = error;
    t.deepEqual({ reason: failure.reason, retryable: failure.retryable, metadata: failure.metadata }, {
      reason: `REASON_${reason}` as typeof failure.reason, retryable, metadata: { ...metadata, region: 'dfw' },
    });
    t.regex(failure.message, says);
  });
}

test('a region is asked in the words of its public API, with the token of the owner', async (t) => {
  const asked: unknown[] = [];
  const { origin } = await startBadServer(t, (request, response) => {
    const { method, url, headers } = request;
    void text(request).then((body) => {
      asked.push({ method, url, type: headers['content-type'], authorization: headers.authorization, body });
      response.end(JSON.stringify({ image }));
    });
  });
  const tokenFor = (owner: string): string | undefined => (owner === 'blue' ? 'token-of-blue' : undefined);
  const client = openRegionClient(new Map([['dfw', { origin, tokenFor }]]), 1_000);
  t.teardown(() => client.close());
  t.like(await client.describe('dfw', id, 'blue', never), { id, sizeBytes: 512, properties: { name: 'web' } });
  await client.describe('dfw', id, 'red', never);
  const call = { method: 'POST', url: '/lehr.v1.ImageService/GetImage', type: 'application/json', body: JSON.stringify({ id }) };
  t.deepEqual(asked, [{ ...call, authorization: 'Bearer token-of-blue' }, { ...call, authorization: undefined }]);
});

test('a region that nobody configured is named', async (t) => {
  const client = openRegionClient(new Map(), 1_000);
  t.teardown(() => client.close());
  const error = await t.throwsAsync(client.describe('lon', id, 'blue', never), { instanceOf: FailureError });
  t.like(error.failure, { reason: 'REASON_REGION_UNREACHABLE', metadata: { region: 'lon' } });
});

test('a description that is not wanted any more ends with the reason of the signal', async (t) => {
  const stop = new AbortController();
  const { origin } = await startBadServer(t, () => stop.abort(new Error('canceled')));
  const client = openRegionClient(new Map([['dfw', { origin, tokenFor: () => undefined }]]), 60_000);
  t.teardown(() => client.close());
  await t.throwsAsync(client.describe('dfw', id, 'blue', stop.signal), { message: 'canceled' });
});
